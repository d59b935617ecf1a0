// Where a new chunk's buffer comes from.
#pragma once

#include "chunk_store.hpp"
#include "fills.hpp"
#include "granted_leases.hpp"
#include "segment_emptying.hpp"
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

    /// `what`, for a request, if there was room, or nullptr: then the members below say why. What
    /// there is of it already is taken over.
    [[nodiscard]] chunk* make(chunk_request& wanted, const extent& what) noexcept;
    /// What a buffer for `length` bytes takes of the memory.
    [[nodiscard]] std::uint64_t buffer_bytes(std::uint64_t length) const noexcept;
    /// Whether the shard has memory for so many buffers of that length that one is a small part.
    [[nodiscard]] bool has_room_for_chunks(const extent& whole) const noexcept;
    /// Whether the last search failed for want of memory outside the arena, or of any chunk that
    /// one could wait for.
    [[nodiscard]] bool out_of_memory() const noexcept { return out_of_memory_; }
    /// Whether the last search has asked for leases, which will make room as they come back.
    [[nodiscard]] bool coming() const noexcept { return coming_ != 0; }
    /// What a request fails with that does not wait.
    [[nodiscard]] boost::system::error_code shortage() noexcept;

private:
    /// `bytes` is what it has afterwards: perhaps more.
    [[nodiscard]] std::byte* find_buffer(std::uint64_t& bytes) noexcept;
    [[nodiscard]] bool evict_one() noexcept;
    [[nodiscard]] bool helps(const chunk& candidate) noexcept;
    [[nodiscard]] verdict judge(chunk& candidate) noexcept;
    /// What is in memory of the bytes of `made`, in `former` or in fragments that it crosses.
    void take_over(chunk& made, chunk* former) noexcept;
    void tell_of_memory() noexcept;

    shard_cache& cache_;
    chunk_store& chunks_;
    uses& uses_;
    granted_leases& granted_;
    fills& fills_;
    cache_statistics& counts_;
    unsigned coming_ = 0;  ///< chunks that the last search found leased and has asked back
    // Of the search under way:
    std::uint64_t wanted_bytes_ = 0;
    segment_emptying* emptying_ = nullptr;
    std::uint64_t larger_bytes_ = 0;  ///< of places that serve where none of the size comes
    unsigned shielded_ = 0;           ///< candidates that were passed by for the sake of their use
    bool for_ahead_ = false;          ///< nobody waits for it yet
    bool used_ = false;               ///< there were some that were used since the last search
    bool passed_ = false;             ///< there were some whose place would not have helped
    bool out_of_memory_ = false;
    bool told_of_plain_buffers_ = false;
    bool told_of_refused_pages_ = false;
};

}  // namespace leat::detail
