// The requests of one manager on one shard that wait for buffers, or for their turns.
#pragma once

#include "aged_reads.hpp"
#include "read_turns.hpp"

#include <leat/cache/detail/chunk_request.hpp>

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace leat::detail {

/// Each manager has its own queues for buffers: while it has as many reads in flight as it may,
/// those that wait there stay where they are, and others go before them.
struct manager_line : boost::intrusive::list_base_hook<> {
    using queue =
        boost::intrusive::list<chunk_request, boost::intrusive::constant_time_size<false>>;
    static constexpr std::size_t queues = 20;

    read_turns turns;
    aged_reads pieces;  ///< reads that take no turns
    static constexpr std::array<read_turn, 3> kinds{read_turn::alone, read_turn::walk,
                                                    read_turn::ahead};
    /// Those of one kind that need a buffer of one size: none of them stands behind another who
    /// may have no more reads.
    [[nodiscard]] queue& for_buffer(read_turn kind, std::size_t which) noexcept {
        const std::size_t of = kind == read_turn::alone ? 0 : kind == read_turn::walk ? 1 : 2;
        return for_buffers_[of][which];
    }

    /// One more waits here, or no longer: buffer_line says so, since looking at all queues takes
    /// time.
    void entered() noexcept { ++waiting_; }
    void left() noexcept {
        assert(waiting_ != 0);
        --waiting_;
    }
    /// Whether nobody waits.
    [[nodiscard]] bool empty() const noexcept { return waiting_ == 0; }
    /// An age of its reads is over, see aged_reads, on a shard with so much memory: reads that hang
    /// take no more than half of it by turns, and a quarter, with those, in pieces, whose buffers
    /// are whole chunks; as many may follow them.
    bool grow_older(std::uint64_t memory) noexcept {
        const bool some = turns.grow_older(memory / 2);
        const std::uint64_t most = memory / 4;
        const std::uint64_t left = most - std::min(most, turns.reads().hanging().bytes);
        return pieces.grow_older({.bytes = left, .first = false}) || some;
    }
    /// Whether something may come of the next ages.
    [[nodiscard]] bool restless() const noexcept {
        return pieces.restless() || turns.reads().restless();
    }
    void clear() noexcept {
        turns.clear();
        for (by_size& of : for_buffers_)
            for (queue& one : of) one.clear();
        waiting_ = 0;
    }

private:
    using by_size = std::array<queue, queues>;

    std::array<by_size, kinds.size()> for_buffers_;
    std::size_t waiting_ = 0;  ///< for a buffer, or a turn
};

}  // namespace leat::detail
