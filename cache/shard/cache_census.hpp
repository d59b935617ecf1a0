// The statistics of several shards' caches on their way to one sum.
#pragma once

#include <leat/cache/detail/entry.hpp>
#include <leat/cache/detail/shared_cache.hpp>
#include <leat/cache/statistics.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace leat::detail {

/// A chunk may be pinned on several shards: each tells which, so that it is counted once.
class cache_census {
public:
    cache_statistics counts;

    /// An entry of some shard, which keeps a buffer of `bytes`. Throws std::bad_alloc.
    void add_pinned(const entry& one, std::uint64_t bytes, std::int64_t now) {
        counts.pins += one.pins;
        counts.referred_bytes += one.referred;
        pinned_.emplace_back(one.data(), bytes);
        const std::chrono::nanoseconds age{now - one.pinned_since};
        if (age < counts.oldest_pin) return;
        counts.oldest_pin = age;
        counts.oldest_pinned = {.doing = activity::get_chunk};
        counts.oldest_pinned.file = one.file_number;
        counts.oldest_pinned.offset = one.piece.index() * one.file->manager->chunk_size + one.start;
        counts.oldest_pinned.size = one.length;
        counts.oldest_pinned.set_name(one.file->name);
    }
    void add(const cache_census& other) {
        cache_statistics::each([](const char*, auto& sum, const auto& one) { sum += one; }, counts,
                               other.counts);
        if (other.counts.oldest_pin > counts.oldest_pin) {
            counts.oldest_pin = other.counts.oldest_pin;
            counts.oldest_pinned = other.counts.oldest_pinned;
        }
        pinned_.insert(pinned_.end(), other.pinned_.begin(), other.pinned_.end());
    }
    [[nodiscard]] cache_statistics total() {
        std::sort(pinned_.begin(), pinned_.end());
        pinned_.erase(std::unique(pinned_.begin(), pinned_.end()), pinned_.end());
        for (const auto& buffer : pinned_) counts.pinned_bytes += buffer.second;
        pinned_.clear();
        return counts;
    }

private:
    std::vector<std::pair<const std::byte*, std::uint64_t>> pinned_;  // buffers; some several times
};

}  // namespace leat::detail
