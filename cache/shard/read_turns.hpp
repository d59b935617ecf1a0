// Requests whose reads wait until others of their manager have ended.
#pragma once

#include <leat/cache/detail/chunk_request.hpp>

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>

namespace leat::detail {

/// Of one manager on one shard. A device that has been given more reads than it works on at once
/// lets the latest wait for all of them, and each of them keeps a buffer that nothing has landed
/// in. So no more than `at_once` are in flight, and whose read would be one more waits here,
/// without a buffer: first those that had their turn already and found none then; of the others a
/// reader that goes through a file after three that ask for one thing, since he waits for many
/// reads and they for one; and last what nobody waits for yet.
struct read_turns {
    using requests =
        boost::intrusive::list<chunk_request, boost::intrusive::constant_time_size<false>>;

    unsigned at_once = 1;
    /// Reads that begin at once: small ones that somebody waits for, and windows. Those that wait
    /// in a fill_queue are few as it is.
    unsigned in_flight = 0;

    [[nodiscard]] bool full() const noexcept { return in_flight >= at_once; }
    [[nodiscard]] bool empty() const noexcept {
        return std::all_of(waiting_.begin(), waiting_.end(),
                           [](const requests& one) { return one.empty(); });
    }
    void push(chunk_request& waiter, read_turn kind) noexcept {
        waiter.waits_for_turn = true;
        waiter.turn = kind;
        of(kind).push_back(waiter);
    }
    /// Precondition: it waits here.
    void remove(chunk_request& waiter) noexcept {
        assert(waiter.waits_for_turn);
        waiter.waits_for_turn = false;
        of(waiter.turn).erase(requests::s_iterator_to(waiter));
    }
    /// Whose turn it is, and the next call says whose is the next. Precondition: some wait.
    [[nodiscard]] chunk_request& next() noexcept {
        assert(!empty());
        if (!of(read_turn::again).empty()) return of(read_turn::again).front();
        requests& alone = of(read_turn::alone);
        requests& walks = of(read_turn::walk);
        if (alone.empty() && walks.empty()) return of(read_turn::ahead).front();
        count_ = (count_ + 1) % walk_each;
        return walks.empty() || (count_ != 0 && !alone.empty()) ? alone.front() : walks.front();
    }
    void clear() noexcept {
        for (requests& one : waiting_) one.clear();
    }

private:
    static constexpr unsigned walk_each = 4;

    [[nodiscard]] requests& of(read_turn kind) noexcept {
        return waiting_[static_cast<std::size_t>(kind)];
    }

    std::array<requests, read_turn_kinds> waiting_;
    unsigned count_ = 0;  ///< turns of those that somebody waits for, since a walk's
};

}  // namespace leat::detail
