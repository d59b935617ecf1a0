// Reserves address space, and puts memory into parts of it.
#include "segment_memory.hpp"

#include <sys/mman.h>

#include <cerrno>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MAP_HUGE_2MB
#define MAP_HUGE_2MB (21 << 26)
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

namespace leat::io {

namespace {

constexpr int only_addresses = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

std::byte* map(void* at, std::size_t bytes, int protection, int flags) noexcept {
    void* const address = ::mmap(at, bytes, protection, flags, -1, 0);
    return address == MAP_FAILED ? nullptr : static_cast<std::byte*>(address);
}

// Whether the memory can be used: reserved pages may be refused when they are touched.
bool populate(void* memory, std::size_t bytes) noexcept {
    int result = 0;
    do {
        result = ::madvise(memory, bytes, MADV_POPULATE_WRITE);
    } while (result != 0 && (errno == EINTR || errno == EAGAIN));
    return result == 0;
}

// Takes a part of the address space again that the kernel may have unmapped. False if something is
// there, which may be another thread's.
bool reserve_again(std::byte* at, std::size_t bytes) noexcept {
    std::byte* const found = map(at, bytes, PROT_NONE, only_addresses | MAP_FIXED_NOREPLACE);
    if (found != nullptr && found != at) ::munmap(found, bytes);  // before Linux 4.17 a mere hint
    return found == at;
}

}  // namespace

std::byte* reserve_space(std::size_t bytes) noexcept {
    // More than that, since the kernel aligns to 4 KiB; the ends are given back.
    const std::size_t whole = bytes + huge_page_bytes - page_bytes;
    std::byte* const start = map(nullptr, whole, PROT_NONE, only_addresses);
    if (start == nullptr) return nullptr;
    const auto address = reinterpret_cast<std::uintptr_t>(start);
    const std::size_t before = round_up(address, huge_page_bytes) - address;
    const std::size_t after = whole - before - bytes;
    if (before > 0) ::munmap(start, before);
    if (after > 0) ::munmap(start + before + bytes, after);
    return start + before;
}

void release_space(std::byte* at, std::size_t bytes) noexcept {
    ::munmap(at, bytes);
}

// They are mapped elsewhere and moved: mapped in place, a refusal would leave a hole, in which
// another thread's memory may lie before it is closed.
hugetlb_result take_hugetlb(std::byte* at, std::size_t bytes) noexcept {
    constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB;
    std::byte* const found = map(nullptr, bytes, PROT_READ | PROT_WRITE, flags);
    if (found == nullptr) return hugetlb_result::none;
    if (!populate(found, bytes)) {
        ::munmap(found, bytes);
        return hugetlb_result::refused;
    }
    if (::mremap(found, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at)
        return hugetlb_result::taken;
    ::munmap(found, bytes);
    // Linux before 5.16 moves no huge pages, and finds out when it has unmapped the target.
    return reserve_again(at, bytes) ? hugetlb_result::refused : hugetlb_result::lost;
}

// Not mapped anew, which may fail when what was there is gone.
bool take_pages(std::byte* at, std::size_t bytes) noexcept {
    return ::mprotect(at, bytes, PROT_READ | PROT_WRITE) == 0;
}

bool prefer_huge_pages(std::byte* at, std::size_t bytes) noexcept {
    return ::madvise(at, bytes, MADV_HUGEPAGE) == 0;
}

// Old kernels (before 5.14) cannot: then whoever uses it touches it.
void touch(std::byte* at, std::size_t bytes) noexcept {
    static_cast<void>(populate(at, bytes));
}

// A fork would copy the page tables of memory that the kernel has pinned, a core file all of the
// cache.
void keep_private(std::byte* at, std::size_t bytes) noexcept {
    ::madvise(at, bytes, MADV_DONTFORK);
    ::madvise(at, bytes, MADV_DONTDUMP);
}

void give_back(std::byte* at, std::size_t bytes) noexcept {
    // The kernel has no room for another mapping: the pages at least.
    if (map(at, bytes, PROT_NONE, only_addresses | MAP_FIXED) == nullptr)
        ::madvise(at, bytes, MADV_DONTNEED);
}

}  // namespace leat::io
