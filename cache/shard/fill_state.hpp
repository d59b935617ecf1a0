// What of a chunk is under way: its reads, and who waits for them.
#pragma once

#include "fill_rank.hpp"

#include <leat/cache/detail/chunk_request.hpp>

#include <boost/intrusive/list.hpp>

#include <cstdint>
#include <stop_token>

namespace leat::detail {

struct chunk;

struct turn_link_tag;
/// For one of its manager's fill queues.
using turn_link = boost::intrusive::list_base_hook<boost::intrusive::tag<turn_link_tag>>;

struct aside_link_tag;
/// For those whose chunks are set aside and not known to be pinned.
using aside_link = boost::intrusive::list_base_hook<boost::intrusive::tag<aside_link_tag>>;

/// A chunk has one from when somebody begins to wait for it, or a read of it begins, until nobody
/// waits, nothing is read or to be read, and its reads are trusted; see in_use().
struct alignas(64) fill_state : turn_link, aside_link {
    explicit fill_state(chunk& whose) noexcept : of(&whose) {}

    chunk* of;
    using requests =
        boost::intrusive::list<chunk_request, boost::intrusive::constant_time_size<false>>;
    requests waiters;
    requests held_up;  ///< those whose own reads are not begun before it is no longer under way
    std::stop_source withdrawal{std::nostopstate};  ///< of its reads, while there are some
    std::uint32_t cursor = 0;   ///< where the rest goes on: behind what was demanded last
    std::uint32_t turn = 0;     ///< units submitted since it came to its queue's end
    unsigned demands = 0;       ///< of the reads in flight, those that somebody waits for alone
    unsigned reads = 0;         ///< in flight
    unsigned demands_read = 0;  ///< since the last background read that failed
    unsigned unread = 0;        ///< of the waiters, those with units that no read in flight brings
    unsigned aheads = 0;        ///< of the waiters, those for whom nobody waits yet
    std::uint8_t distrusted = 0;       ///< background reads that have failed, one after the other
    fill_rank rank = fill_rank::none;  ///< in which of its manager's queues it is
    bool in_hand = false;  ///< a read of it is being settled: it stays, with nothing under way, too

    /// Whether there is something that it says.
    [[nodiscard]] bool in_use() const noexcept {
        return reads != 0 || !waiters.empty() || rank != fill_rank::none || distrusted != 0 ||
               in_hand;
    }
    [[nodiscard]] bool under_way() const noexcept { return reads != 0 || !waiters.empty(); }
    /// A background read has failed, or a read has succeeded. Background reads go on after one
    /// demand has been read, after two when they fail again, then four: a bad sector that every
    /// read of the rest meets is not met each time.
    void distrust() noexcept {
        if (distrusted < 31) ++distrusted;
        demands_read = 0;
    }
    void trust(bool demanded) noexcept {
        if (demanded) {
            ++demands_read;
        } else {
            distrusted = 0;
        }
    }
    [[nodiscard]] bool on_demand_only() const noexcept {
        return distrusted != 0 && demands_read < 1U << (distrusted - 1);
    }
    /// No read of it is in flight.
    void end_withdrawal() noexcept { withdrawal = std::stop_source{std::nostopstate}; }
};
// entry_pool has no pages of 64 places and more.
static_assert(sizeof(fill_state) <= 128);

}  // namespace leat::detail
