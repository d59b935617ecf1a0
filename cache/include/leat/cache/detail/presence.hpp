// Which units of a chunk have landed: one shard sets them, every holder of a lease reads them.
#pragma once

#include <leat/cache/chunk_config.hpp>

#include <atomic>
#include <bit>
#include <cstdint>

namespace leat::detail {

inline constexpr auto unit_shift = static_cast<unsigned>(std::countr_zero(unit_size));

/// Calls step(word, mask) for each word of a bit set in which bits [first, last] lie, as long as it
/// returns true; returns whether it always has.
template <class Step>
constexpr bool each_word(std::uint64_t first, std::uint64_t last, Step step) noexcept {
    for (std::uint64_t word = first / 64; word <= last / 64; ++word) {
        std::uint64_t mask = ~std::uint64_t{0};
        if (word == first / 64) mask &= mask << (first % 64);
        if (word == last / 64) mask &= ~std::uint64_t{0} >> (63 - last % 64);
        if (!step(word, mask)) return false;
    }
    return true;
}

/// Owner: units [first, first + count) have landed. Release: who sees a unit's bit, on whatever
/// shard, sees its bytes. Word is std::atomic<std::uint64_t>, or what a test explores in its place.
template <class Word>
void land_units(Word* words, std::uint64_t first, std::uint64_t count) noexcept {
    each_word(first, first + count - 1, [words](std::uint64_t word, std::uint64_t mask) {
        words[word].fetch_or(mask, std::memory_order_release);
        return true;
    });
}

/// Any holder: whether units [first, last] have all landed. Acquire, of each word.
template <class Word>
[[nodiscard]] bool units_landed(const Word* words,
                                std::uint64_t first,
                                std::uint64_t last) noexcept {
    return each_word(first, last, [words](std::uint64_t word, std::uint64_t mask) {
        return (words[word].load(std::memory_order_acquire) & mask) == mask;
    });
}

}  // namespace leat::detail
