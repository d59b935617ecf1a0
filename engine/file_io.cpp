#include <leat/engine/file_io.hpp>

namespace leat {

namespace {
// A cancelled operation says why it was cancelled; only a stop request does so.
boost::system::error_code failure_of(const operation_wait& ended, int result) {
    return result == -ECANCELED ? make_error_code(ended.stop_reason()) : system_error_code(-result);
}

[[noreturn]] void fail_open(const std::string& path, boost::system::error_code code) {
    leat::where at{.doing = activity::open};
    at.set_name(path);
    throw system_error({code, at});
}
}  // namespace

task<io::file> open_file(std::string path, int directory, bool beneath) {
    if (path.find('\0') != std::string::npos) fail_open(path, system_error_code(EINVAL));
    const open_how how = io::file::how_to_open(beneath);
    operation_wait opening;
    opening.operation.prepare_open(directory, path.c_str(), how);
    const int descriptor = co_await std::move(opening);
    if (descriptor < 0) fail_open(path, failure_of(opening, descriptor));

    struct statx attributes{};
    operation_wait statting;
    statting.operation.prepare_stat(descriptor, io::file::stat_mask, attributes);
    const int failure = co_await std::move(statting);
    // adopt() closes the descriptor if the attributes, empty after a failure, are not those of a
    // file.
    boost::system::result<io::file> opened = io::file::adopt(descriptor, attributes);
    if (failure < 0) fail_open(path, failure_of(statting, failure));
    if (!opened) fail_open(path, opened.error());
    co_return std::move(*opened);
}

}  // namespace leat
