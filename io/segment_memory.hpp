// What an arena asks the kernel for: address space, and the memory of one segment in it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace leat::io {

inline constexpr std::size_t page_bytes = 4096;
inline constexpr std::size_t huge_page_bytes = 2 << 20;

/// `to` is a power of two.
constexpr std::uint64_t round_up(std::uint64_t size, std::uint64_t to) noexcept {
    return (size + to - 1) & ~(to - 1);
}

/// Address space without memory, from a multiple of a huge page on; nullptr if there is none.
[[nodiscard]] std::byte* reserve_space(std::size_t bytes) noexcept;
/// Gives back all of it, and whatever memory it has got.
void release_space(std::byte* at, std::size_t bytes) noexcept;

enum class hugetlb_result : std::uint8_t {
    taken,
    none,     ///< none are reserved, or not enough
    refused,  ///< there are some which cannot be used
    lost      ///< so, and the address space may be another's by now: it must not be touched
};

/// Puts reserved huge pages into a part of the address space, all of them touched.
[[nodiscard]] hugetlb_result take_hugetlb(std::byte* at, std::size_t bytes) noexcept;
/// Makes a part of the address space usable, in 4 KiB pages. False if the system has no memory.
[[nodiscard]] bool take_pages(std::byte* at, std::size_t bytes) noexcept;
/// Asks for transparent huge pages. False if there is no such thing here.
[[nodiscard]] bool prefer_huge_pages(std::byte* at, std::size_t bytes) noexcept;
/// Has the kernel put pages where there are none yet, of memory that may be in use; as far as it
/// can.
void touch(std::byte* at, std::size_t bytes) noexcept;
/// Keeps the memory out of forks and core files.
void keep_private(std::byte* at, std::size_t bytes) noexcept;
/// Makes the memory plain address space again.
void give_back(std::byte* at, std::size_t bytes) noexcept;

}  // namespace leat::io
