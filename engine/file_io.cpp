// Opens files and reads them on the shard's backend.
#include <leat/engine/file_io.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/io/detail/file_system.hpp>

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <new>
#include <optional>

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

// For how long an open waits for descriptors that are being closed.
constexpr unsigned most_tries = 100;
constexpr std::chrono::milliseconds pause_between_tries{1};

// Descriptors of this process that backends were to close, and those that they have closed.
std::atomic<std::uint64_t> closings_begun{0};
std::atomic<std::uint64_t> closings_ended{0};

/// Closes a descriptor and is gone.
struct closing_operation : io::operation {
    static void closed(io::operation& done) noexcept {
        delete static_cast<closing_operation*>(&done);
        closings_ended.fetch_add(1);
    }
};

// Whether close(2) may take long: the last one of an unlinked file gives back its blocks, and that
// of a remote one tells a server.
bool may_be_slow(const io::file& closing, io::backend& through) noexcept {
    if (closing.on().remote) return true;
    struct statx attributes{};
    return through.stat_cached(closing.descriptor(), STATX_NLINK, attributes) == 0 &&
           attributes.stx_nlink == 0;
}

// On a shard, what may be slow is closed by the shard's backend; on other threads at once, and so
// by what a shard destroys when it has ended, and its backend does nothing more.
void close_file(const io::file& closing) noexcept {
    shard* const here = shard::current();
    if (here != nullptr && !here->ended() && may_be_slow(closing, here->backend())) {
        if (auto* const op = new (std::nothrow) closing_operation) {
            op->prepare_close(closing.descriptor());
            op->on_complete = &closing_operation::closed;
            closings_begun.fetch_add(1);
            here->backend().submit(*op);
            return;
        }
    }
    ::close(closing.descriptor());
}

// Whether a descriptor is lacking that will soon be free again, or is by now: `ended` closings had
// ended as the open began.
bool wants_patience(int result, std::uint64_t ended) noexcept {
    return (result == -EMFILE || result == -ENFILE) && closings_begun.load() != ended;
}
}  // namespace

task<io::file> open_file(std::string path, int directory, bool beneath) {
    if (path.find('\0') != std::string::npos) fail_open(path, system_error_code(EINVAL));
    const open_how how = io::file::how_to_open(beneath);
    int descriptor = -1;
    for (unsigned tries = 1; descriptor < 0; ++tries) {
        const std::uint64_t ended = closings_ended.load();
        operation_wait opening;
        opening.operation.prepare_open(directory, path.c_str(), how);
        descriptor = co_await std::move(opening);
        if (descriptor >= 0) break;
        if (tries > most_tries || !wants_patience(descriptor, ended))
            fail_open(path, failure_of(opening, descriptor));
        co_await sleep(pause_between_tries);
    }

    struct statx attributes{};
    operation_wait statting;
    statting.operation.prepare_stat(descriptor, io::file::stat_mask, attributes);
    int failure = co_await std::move(statting);
    std::optional<io::file_system> on = io::file_system::of(attributes);
    if (failure >= 0 && !on) {
        struct statfs told{};
        operation_wait asking;
        asking.operation.prepare_stat_file_system(descriptor, told);
        const int untold = co_await std::move(asking);
        on = io::file_system::of_type(untold < 0 ? 0 : told.f_type);
        failure = untold == -ECANCELED ? untold : 0;
    }
    // adopt() closes the descriptor if the attributes, empty after a failure, are not those of a
    // file.
    boost::system::result<io::file> opened =
        io::file::adopt(descriptor, attributes, true, on.value_or(io::file_system{}));
    if (failure < 0) fail_open(path, failure_of(statting, failure));
    if (!opened) fail_open(path, opened.error());
    opened->close_by(&close_file);
    opened->asked_at(shard::current()->backend().now());
    opened->set_name(directory, std::move(path));
    co_return std::move(*opened);
}

}  // namespace leat
