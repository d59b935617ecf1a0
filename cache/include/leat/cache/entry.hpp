// What a hit finds: a chunk of this shard, or its lease of a chunk that another shard owns.
#pragma once

#include <leat/cache/file.hpp>
#include <leat/io/backend.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace leat {

class shard_cache;

/// log2 of the bytes of a unit, in which a chunk's presence is tracked: a page. Smaller ones no
/// device reads alone; larger ones make random misses read more than is asked for.
inline constexpr unsigned unit_shift = 12;
inline constexpr std::uint64_t unit_size = std::uint64_t{1} << unit_shift;

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

/// The part that chunks and leases share. All but the atomics is for the home shard's thread.
/// Entries live in memory that outlives every slice.
struct alignas(64) entry {
    // Read or written by every hit.
    entry* chain = nullptr;         ///< next in the table's bucket
    std::uint64_t file_number = 0;  ///< with `index`, the key
    std::uint64_t index = 0;
    file_record* file = nullptr;
    std::byte* data = nullptr;
    shard_cache* home = nullptr;
    /// When the home's turn began that pinned it last, in ns. Relaxed: an evicting owner reads that
    /// of a lease.
    std::atomic<std::int64_t> last_use{0};
    /// Bytes that can be served without a look at the units: the length once complete, else 0.
    std::uint32_t ready_length = 0;
    std::uint32_t pins = 0;

    std::uint64_t referred = 0;     ///< bytes that the slices span
    std::int64_t pinned_since = 0;  ///< of the oldest pin at most, as last_use
    /// Landed units, a bit each; set with release by the owner, read with acquire by every holder.
    /// nullptr: none may be served.
    const std::atomic<std::uint64_t>* presence = nullptr;
    const std::atomic<bool>* all_landed = nullptr;
    std::uint32_t length = 0;  ///< bytes of the file in this chunk
    bool leased = false;
    bool attention = false;  ///< the last unpin has more to do

    /// Releases on other threads, not yet counted: how many in the lower 24 bits, their bytes in
    /// the lower 40. Whoever raises it from 0 links the entry into its home's list.
    alignas(64) std::atomic<std::uint64_t> foreign{0};
    entry* foreign_next = nullptr;

    static constexpr std::uint64_t foreign_shift = 24;

    [[nodiscard]] bool landed(std::uint64_t in, std::uint32_t size) const noexcept {
        const std::uint64_t last = (in + size - 1) >> unit_shift;
        return each_word(in >> unit_shift, last, [this](std::uint64_t word, std::uint64_t mask) {
            return (presence[word].load(std::memory_order_acquire) & mask) == mask;
        });
    }
};

}  // namespace leat
