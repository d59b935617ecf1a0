// Keeps the compiler from leaving out what is measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace leat::perf {

inline constexpr std::size_t page_bytes = 4096;

/// The value counts as used.
inline void keep(std::uint64_t value) noexcept {
    asm volatile("" : : "r"(value));
}
/// What memory holds counts as used.
inline void keep_memory(const void* memory) noexcept {
    asm volatile("" : : "r"(memory) : "memory");
}

/// The eight bytes that a hand-over reads.
[[nodiscard]] inline std::uint64_t first_word(const std::byte* data) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, data, sizeof word);
    return word;
}

/// A sum over every byte of a page.
[[nodiscard]] inline std::uint64_t all_words(const std::byte* data) noexcept {
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < page_bytes; at += sizeof sum) sum += first_word(data + at);
    return sum;
}

}  // namespace leat::perf
