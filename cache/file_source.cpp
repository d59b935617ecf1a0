// Opens and reads files below a root, or anywhere.
#include <leat/cache/file_source.hpp>
#include <leat/io/detail/misuse.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace leat {

namespace {
std::size_t count_of(const boost::system::result<std::size_t>& count) {
    if (!count) throw system_error({count.error(), {.doing = activity::read}});
    return *count;
}
}  // namespace

struct file_source::directory {
    explicit directory(const std::string& path)
        : descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
        if (descriptor >= 0) return;
        leat::where at{.doing = activity::open};
        at.set_name(path);
        throw system_error({system_error_code(errno), at});
    }
    directory(const directory&) = delete;
    directory& operator=(const directory&) = delete;
    ~directory() { ::close(descriptor); }
    int descriptor;
};

file_source::file_source(const std::string& root) : root_(std::make_shared<directory>(root)) {}

task<io::file> file_source::open(std::string name) {
    const bool beneath = root_ != nullptr;
    return open_file(std::move(name), beneath ? root_->descriptor : AT_FDCWD, beneath);
}

task<std::size_t> file_source::read(const io::file& file,
                                    std::uint64_t offset,
                                    std::span<std::byte> buffer,
                                    priority) {
    file_read_wait reading{file, offset, buffer};
    const boost::system::result<std::size_t> count = co_await std::move(reading);
    co_return count_of(count);
}

task<std::size_t> file_source::read(const io::file& file,
                                    std::uint64_t offset,
                                    std::span<const std::span<std::byte>> buffers,
                                    priority) {
    if (buffers.size() > io::operation::most_vectors)
        detail::misuse("file_source::read() was given a list of more than 1024 buffers");
    file_read_wait reading{file, offset, buffers};
    const boost::system::result<std::size_t> count = co_await std::move(reading);
    co_return count_of(count);
}

}  // namespace leat
