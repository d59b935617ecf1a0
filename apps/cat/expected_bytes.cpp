// Adds up the sizes of the files that are named.
#include "expected_bytes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace leat::cat {

namespace {

std::uint64_t device_size(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return 0;
    const off_t end = ::lseek(descriptor, 0, SEEK_END);
    ::close(descriptor);
    return static_cast<std::uint64_t>(std::max<off_t>(end, 0));
}

std::uint64_t size_of(const std::string& path) {
    struct stat attributes{};
    if (::stat(path.c_str(), &attributes) != 0) return 0;
    if (S_ISREG(attributes.st_mode)) return static_cast<std::uint64_t>(attributes.st_size);
    return S_ISBLK(attributes.st_mode) ? device_size(path) : 0;
}

}  // namespace

std::uint64_t expected_bytes(const arguments& given) {
    std::uint64_t all = 0;
    for (const std::string& path : given.files) {
        const std::uint64_t size = size_of(path);
        all += std::min(size - std::min(size, given.offset), given.length);
    }
    return all;
}

}  // namespace leat::cat
