// Maps memory in huge pages, and files.
#include "common/mapped_memory.hpp"

#include <boost/system/system_error.hpp>

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace leat::perf {

namespace {
constexpr std::size_t huge_page = 2 << 20;

void* checked(void* address) {
    if (address == MAP_FAILED) {
        throw boost::system::system_error(
            boost::system::error_code(errno, boost::system::system_category()), "mmap");
    }
    return address;
}
}  // namespace

mapped_memory::mapped_memory(void* base,
                             std::size_t mapped,
                             std::byte* data,
                             std::size_t bytes) noexcept
    : base_(base), mapped_(mapped), data_(data), bytes_(bytes) {}

mapped_memory::mapped_memory(mapped_memory&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      mapped_(other.mapped_),
      data_(other.data_),
      bytes_(other.bytes_) {}

mapped_memory::~mapped_memory() {
    if (base_ != nullptr) ::munmap(base_, mapped_);
}

mapped_memory mapped_memory::anonymous(std::size_t bytes, bool huge) {
    const std::size_t mapped = bytes + huge_page;
    void* const base = checked(
        ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    const auto address = reinterpret_cast<std::uintptr_t>(base);
    auto* const data =
        static_cast<std::byte*>(base) + (huge_page - address % huge_page) % huge_page;
    ::madvise(data, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    std::memset(data, 0, bytes);
    return {base, mapped, data, bytes};
}

mapped_memory mapped_memory::of_file(int descriptor, std::size_t bytes) {
    void* const base =
        checked(::mmap(nullptr, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, descriptor, 0));
    return {base, bytes, static_cast<std::byte*>(base), bytes};
}

}  // namespace leat::perf
