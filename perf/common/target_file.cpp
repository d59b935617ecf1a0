// Makes samples, checks what is given, and drops its page cache.
#include "common/target_file.hpp"

#include "common/pages.hpp"

#include <leat/engine/options.hpp>

#include <boost/system/system_error.hpp>
#include <spdlog/fmt/fmt.h>

#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <vector>

namespace leat::perf {

namespace {

constexpr std::size_t copy_bytes = 4 * MiB;

[[noreturn]] void fail(int error, const std::string& what) {
    throw boost::system::system_error(
        boost::system::error_code(error, boost::system::system_category()), what);
}

// Who may open a device is decided by its group.
std::string advice(const std::string& path) {
    struct stat attributes{};
    if (::stat(path.c_str(), &attributes) != 0 || !S_ISBLK(attributes.st_mode)) return {};
    const struct group* const known = ::getgrgid(attributes.st_gid);
    return known == nullptr ? std::string{}
                            : fmt::format(
                                  " (the device belongs to the group \"{}\": join it by "
                                  "\"sudo usermod -aG {} $USER\" and log in anew)",
                                  known->gr_name, known->gr_name);
}

void write_all(int into, const std::vector<std::uint64_t>& words, std::uint64_t bytes) {
    const auto* data = reinterpret_cast<const char*>(words.data());
    while (bytes > 0) {
        const ssize_t count = ::write(into, data, bytes);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(errno, "writing the sample");
        data += count;
        bytes -= static_cast<std::uint64_t>(count);
    }
}

void fill(const std::string& path, int into, std::uint64_t size) {
    random_words random{size};
    std::vector<std::uint64_t> words(copy_bytes / sizeof(std::uint64_t));
    for (std::uint64_t done = 0; done < size; done += copy_bytes) {
        for (std::uint64_t& word : words) word = random();
        write_all(into, words, std::min<std::uint64_t>(copy_bytes, size - done));
    }
    if (::fsync(into) != 0) fail(errno, path);
}

std::string sample_path() {
    std::error_code error;
    const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
    const std::filesystem::path folder = program.parent_path();
    const bool usable = !error && ::access(folder.c_str(), W_OK) == 0;
    return ((usable ? folder : std::filesystem::path{"."}) / "leat-bench.sample").string();
}

}  // namespace

descriptor::descriptor(int number)
    : number_(new int{number}, [](const int* open) {
          ::close(*open);
          delete open;
      }) {}

descriptor open_file(const std::string& path, bool direct) {
    const int flags = O_RDONLY | O_CLOEXEC;
    int number = ::open(path.c_str(), flags | (direct ? O_DIRECT : 0));
    if (number < 0 && errno == EINVAL && direct) number = ::open(path.c_str(), flags);
    if (number < 0) {
        const int error = errno;
        fail(error, path + (error == EACCES || error == EPERM ? advice(path) : std::string{}));
    }
    return descriptor{number};
}

target_file look_at(const std::string& path, std::uint64_t wanted) {
    const descriptor open = open_file(path, false);
    struct stat attributes{};
    if (::fstat(open.get(), &attributes) != 0) fail(errno, path);
    if (!S_ISREG(attributes.st_mode) && !S_ISBLK(attributes.st_mode))
        throw std::runtime_error(path + " is neither a file nor a block device");
    const auto size = static_cast<std::uint64_t>(::lseek(open.get(), 0, SEEK_END));
    if (size < wanted || size < 64 * MiB) {
        throw std::runtime_error(fmt::format("{} has only {}, and {} are needed", path,
                                             format_size(size),
                                             format_size(std::max(wanted, 64 * MiB))));
    }
    struct statfs system{};
    const bool known = ::fstatfs(open.get(), &system) == 0;
    return {path, wanted != 0 ? wanted : size, known && system.f_type == TMPFS_MAGIC};
}

target_file sample_file(std::uint64_t size) {
    const std::string path = sample_path();
    struct stat attributes{};
    const bool there = ::stat(path.c_str(), &attributes) == 0;
    if (there && attributes.st_size >= static_cast<off_t>(size)) return look_at(path, size);
    if (there) std::filesystem::remove(path);
    fmt::print(stderr, "leat-bench: making a sample of {}, once: {}\n", format_size(size), path);
    create_file(path, size);
    target_file made = look_at(path, size);
    if (made.on_tmpfs) {
        fmt::print(stderr,
                   "leat-bench: the sample lies on a tmpfs: no disk is measured; give a "
                   "file on one\n");
    }
    return made;
}

void create_file(const std::string& path, std::uint64_t size) {
    const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
    const std::uint64_t room = std::filesystem::space(folder).available;
    if (room < size + size / 8) {
        throw std::runtime_error(fmt::format("{} has only {} left, too few for a file of {}",
                                             folder.string(), format_size(room),
                                             format_size(size)));
    }
    const std::string unfinished = path + ".part";
    ::unlink(unfinished.c_str());
    const descriptor made{
        ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
    if (made.get() < 0) fail(errno, path);
    try {
        fill(path, made.get(), size);
        // Unlike rename, this takes no place that is taken.
        if (::link(unfinished.c_str(), path.c_str()) != 0) fail(errno, path);
    } catch (...) {
        ::unlink(unfinished.c_str());
        throw;
    }
    ::unlink(unfinished.c_str());
    drop_page_cache({path, size, false});
}

void warm_page_cache(const target_file& target, std::uint64_t size) {
    const descriptor open = open_file(target.path, false);
    std::vector<std::byte> buffer(copy_bytes);
    for (std::uint64_t at = 0; at < size; at += copy_bytes) {
        if (::pread(open.get(), buffer.data(), buffer.size(), static_cast<off_t>(at)) < 0)
            fail(errno, target.path);
    }
}

void drop_page_cache(const target_file& target) {
    const descriptor open = open_file(target.path, false);
    ::posix_fadvise(open.get(), 0, 0, POSIX_FADV_DONTNEED);
}

bool holds(const target_file& target, std::uint64_t offset, std::span<const std::byte> bytes) {
    const descriptor open = open_file(target.path, false);
    std::vector<std::byte> expected(bytes.size());
    std::size_t done = 0;
    while (done < expected.size()) {
        const ssize_t count = ::pread(open.get(), expected.data() + done, expected.size() - done,
                                      static_cast<off_t>(offset + done));
        if (count <= 0) return false;
        done += static_cast<std::size_t>(count);
    }
    return std::memcmp(expected.data(), bytes.data(), bytes.size()) == 0;
}

}  // namespace leat::perf
