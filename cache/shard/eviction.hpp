// Where a new chunk's buffer comes from.
#pragma once

#include "chunk_store.hpp"
#include "fills.hpp"
#include "granted_leases.hpp"
#include "uses.hpp"

#include <leat/cache/statistics.hpp>

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>

namespace leat::detail {

/// Makes room: a free buffer of the arena, or one that evicting gives. The policy says which chunk
/// is the coldest, this whether it can go.
class eviction {
public:
    eviction(shard_cache& cache,
             chunk_store& chunks,
             uses& told,
             granted_leases& granted,
             fills& reads,
             cache_statistics& counts) noexcept
        : cache_(cache),
          chunks_(chunks),
          uses_(told),
          granted_(granted),
          fills_(reads),
          counts_(counts) {}

    /// The chunk that a request wants, if there was room, or nullptr: then the members below say
    /// why.
    [[nodiscard]] chunk* make_chunk(chunk_request& wanted) noexcept;
    /// Whether the last search failed for want of memory outside the arena, or of any chunk that
    /// one could wait for.
    [[nodiscard]] bool out_of_memory() const noexcept { return out_of_memory_; }
    /// Whether the last search has asked for leases, which will make room as they come back.
    [[nodiscard]] bool coming() const noexcept { return coming_ != 0; }
    /// What a request fails with that does not wait.
    [[nodiscard]] boost::system::error_code shortage() noexcept;

private:
    [[nodiscard]] std::byte* find_buffer(std::uint64_t size) noexcept;
    [[nodiscard]] bool evict_one() noexcept;
    [[nodiscard]] verdict judge(chunk& candidate) noexcept;
    void tell_of_memory() noexcept;

    shard_cache& cache_;
    chunk_store& chunks_;
    uses& uses_;
    granted_leases& granted_;
    fills& fills_;
    cache_statistics& counts_;
    unsigned coming_ = 0;  ///< chunks that the last search found leased and has asked back
    bool out_of_memory_ = false;
    bool told_of_plain_buffers_ = false;
    bool told_of_refused_pages_ = false;
};

}  // namespace leat::detail
