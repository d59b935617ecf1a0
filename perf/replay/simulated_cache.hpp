// The cache without its bytes: what it would keep, by the library's own policies.
#pragma once

#include "policy/eviction_policy.hpp"
#include "policy/ghost_curve.hpp"
#include "policy/visit_clock.hpp"
#include "replay/chunk_piece.hpp"

#include <leat/cache/detail/read_ends.hpp>
#include <leat/engine/cache_policy.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace leat::perf {

/// One shard's chunks. Time is a counter: it ticks once for each piece that is served. One thread.
class simulated_cache {
public:
    /// `memory` holds at least one chunk. Throws std::bad_alloc.
    simulated_cache(cache_policy policy, std::uint64_t memory, std::uint64_t chunk_size);
    simulated_cache(const simulated_cache&) = delete;
    simulated_cache& operator=(const simulated_cache&) = delete;
    ~simulated_cache();

    /// Serves the piece, and returns whether its chunk was there; it is now.
    bool serve(const chunk_piece& piece);
    /// From here on it estimates what it would load with other memories. Throws std::bad_alloc.
    void estimate_curve();
    /// nullptr without estimates.
    [[nodiscard]] detail::ghost_curve* curve() const noexcept { return curve_.get(); }
    [[nodiscard]] bool has(std::uint32_t file, std::uint64_t index) const noexcept;

private:
    struct entry final : detail::resident {
        entry* chain = nullptr;  // in its bucket, or of those without a chunk
        std::uint64_t index = 0;
        std::uint32_t file = 0;
        detail::read_ends ends;
        std::int64_t last_use = 0;
        std::int64_t made = 0;  // when the chunk was loaded
    };

    [[nodiscard]] entry*& bucket_of(std::uint64_t key) noexcept {
        return buckets_[key & (buckets_.size() - 1)];
    }
    [[nodiscard]] entry* find(std::uint64_t key,
                              std::uint32_t file,
                              std::uint64_t index) const noexcept;
    void use(entry& again, const chunk_piece& piece) noexcept;
    void retain(entry& used, detail::retention keep) noexcept;
    entry& load(std::uint64_t key, const chunk_piece& piece);
    void remove(entry& gone) noexcept;
    void make_room() noexcept;
    [[nodiscard]] entry& take_entry();
    void grow();

    cache_policy which_;
    std::uint64_t memory_;
    std::uint64_t chunk_size_;
    std::unique_ptr<detail::eviction_policy> policy_;
    detail::told_uses tell_;
    detail::visit_clock clock_;
    std::deque<entry> entries_;
    entry* spare_ = nullptr;
    std::vector<entry*> buckets_ = std::vector<entry*>(1024);  // as many as a power of two
    std::uint64_t used_bytes_ = 0;
    std::int64_t now_ = 0;
    std::unique_ptr<detail::ghost_curve> curve_;
};

}  // namespace leat::perf
