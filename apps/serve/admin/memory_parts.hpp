// What a cache's memory is used for.
#pragma once

#include <leat/cache/statistics.hpp>

#include <algorithm>
#include <cstdint>

namespace leat::serve {

/// Parts that do not overlap, in bytes: their sum is the budget, or more while pins and reads keep
/// the cache from getting as small as it was told to be. What belongs to several parts counts for
/// the first of them.
struct memory_parts {
    std::uint64_t pinned = 0;     ///< buffers that slices keep
    std::uint64_t in_flight = 0;  ///< buffers that are being read into
    std::uint64_t ahead = 0;      ///< read ahead, and not used yet
    std::uint64_t cached = 0;     ///< other buffers
    std::uint64_t entries = 0;    ///< what stands for chunks, leases and what is gone
    std::uint64_t free = 0;

    [[nodiscard]] static memory_parts of(const cache_statistics& all) noexcept {
        std::uint64_t left = all.cached_bytes;
        const auto take = [&left](std::uint64_t bytes) {
            const std::uint64_t taken = std::min(bytes, left);
            left -= taken;
            return taken;
        };
        memory_parts parts;
        parts.pinned = take(all.pinned_bytes);
        parts.in_flight = take(all.filling_bytes);
        parts.ahead = take(all.ahead_bytes);
        parts.cached = left;
        parts.entries = all.entry_bytes;
        const std::uint64_t used = all.cached_bytes + all.entry_bytes;
        parts.free = all.memory_bytes - std::min(all.memory_bytes, used);
        return parts;
    }
    /// Calls visit(name, bytes) for each part, in order.
    template <class Visit>
    void each(Visit visit) const {
        visit("pinned", pinned);
        visit("in_flight", in_flight);
        visit("ahead", ahead);
        visit("cached", cached);
        visit("entries", entries);
        visit("free", free);
    }
};

}  // namespace leat::serve
