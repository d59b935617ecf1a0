// Requests whose reads wait until others of their manager have ended.
#pragma once

#include "aged_reads.hpp"

#include <leat/cache/detail/chunk_place.hpp>
#include <leat/cache/detail/chunk_request.hpp>

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace leat::detail {

/// Of which kind a request is that has had no turn so far.
[[nodiscard]] inline read_turn turn_of(const chunk_request& wanted) noexcept {
    if (wanted.asked_ahead) return read_turn::ahead;
    return wanted.goes_on ? read_turn::walk : read_turn::alone;
}

/// Of one manager on one shard. A device that has been given more reads than it works on at once
/// lets the latest wait for all of them, and each of them keeps a buffer that nothing has landed
/// in. So no more than `at_once` are in flight, and whose read would be one more waits here,
/// without a buffer. A reader that goes through a file has a turn after three that ask for one
/// thing, since he waits for many reads and they for one; what nobody waits for yet comes last; and
/// of a kind those go first that had their turn already and found no buffer then.
///
/// Reads of those who go through files are large: a few keep a device all but busy, and who asks
/// for one thing waits for all that it has begun. So beside such they have no more than a part of
/// the turns, of which a window of several fragments takes two: what somebody waits for all of it,
/// and what is asked for ahead as much as that leaves.
///
/// Reads that hang keep no turn; see aged_reads. No more follow them than are three times as many
/// as may be in flight, or than with them have half of the memory. While some hang that go through
/// files, as many more may begin, up to half of the turns: the next ones hang as well, perhaps, and
/// those behind them are not to wait for each of them.
class read_turns {
public:
    struct bounds {
        unsigned at_once = 1;    ///< reads that may be in flight
        unsigned walk_part = 1;  ///< of how many turns those have one who go through files
        bool of_memory = false;  ///< no more than a quarter of it has room for
    };
    void set_bounds(const bounds& to) noexcept {
        assert(to.at_once != 0 && to.walk_part != 0);
        bounds_ = to;
        memory_ = 0;
    }
    /// The shard has so much memory. To be called before anything else, and from time to time.
    void fit(std::uint64_t memory) noexcept {
        if (memory == memory_) return;
        memory_ = memory;
        const std::uint64_t fragments = memory / fragment_size;
        // In little memory some in any case, but half of it.
        const std::uint64_t few = std::clamp<std::uint64_t>(fragments / 2, 1, 4);
        const std::uint64_t room = std::max(fragments / 4, few);
        at_once_ = bounds_.of_memory
                       ? static_cast<unsigned>(std::min<std::uint64_t>(bounds_.at_once, room))
                       : bounds_.at_once;
        most_walks_ = std::max(at_once_ / bounds_.walk_part, 1U);
    }
    /// A small read that somebody waits for, or one of a window of so many fragments, has begun,
    /// into `bytes` of buffers.
    [[nodiscard]] aged_reads::begun begin(read_turn kind,
                                          std::uint64_t bytes,
                                          std::size_t fragments = 1,
                                          bool small = false) noexcept {
        const bool walks = goes_through_file(kind);
        const bool ahead = kind == read_turn::ahead;
        const unsigned turns = fragments > 1 ? 2 : 1;
        since_alone_ = walks ? since_alone_ + 1 : 0;
        beside_alone_ = beside_alone_ || !walks;
        return reads_.begin({.all = 1,
                             .walks = walks && !ahead ? turns : 0,
                             .aheads = ahead ? turns : 0,
                             .small = small ? 1U : 0U,
                             .windows = !small && !ahead ? 1U : 0U,
                             .bytes = bytes});
    }
    /// It has ended, see aged_reads. Others may begin, then.
    void end(const aged_reads::begun& one, bool served) noexcept {
        beside_alone_ = beside_alone_ && since_alone_ < alone_memory;
        reads_.end(one, served);
    }
    /// See aged_reads.
    bool grow_older(std::uint64_t most_bytes) noexcept {
        return reads_.grow_older({.reads = most_hanging * at_once_, .bytes = most_bytes});
    }
    /// Those that have turns, and those that hang.
    [[nodiscard]] const aged_reads& reads() const noexcept { return reads_; }
    [[nodiscard]] unsigned in_flight() const noexcept { return reads_.counted().all; }

    /// Whether no read may begin, or none of this kind.
    [[nodiscard]] bool full() const noexcept { return in_flight() >= at_once_; }
    [[nodiscard]] bool full(read_turn kind) const noexcept {
        if (full() || !goes_through_file(kind) || !beside_alone_) return full();
        const read_counts& now = reads_.counted();
        return now.walks + (kind == read_turn::ahead ? now.aheads : 0) >= most_walks();
    }
    [[nodiscard]] bool empty() const noexcept {
        return std::all_of(waiting_.begin(), waiting_.end(),
                           [](const requests& one) { return one.empty(); });
    }
    /// Whether one of that kind that comes now has to wait for its turn: others wait that could
    /// begin, too, and not after all others.
    [[nodiscard]] bool must_wait(read_turn kind) const noexcept {
        return full(kind) || some_before_aheads() || (kind == read_turn::ahead && some_may_begin());
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
    /// Whether one that waits could begin.
    [[nodiscard]] bool some_may_begin() const noexcept {
        return some_before_aheads() || (!full(read_turn::ahead) && !of(read_turn::ahead).empty());
    }
    /// Who may begin, or nullptr; the next call says who may after him.
    [[nodiscard]] chunk_request* next() noexcept {
        if (!some_may_begin()) return nullptr;
        chunk_request* const alone = first_of(read_turn::alone_again, read_turn::alone);
        chunk_request* const walk =
            full(read_turn::walk) ? nullptr : first_of(read_turn::walk_again, read_turn::walk);
        if (alone == nullptr && walk == nullptr) return &of(read_turn::ahead).front();
        count_ = (count_ + 1) % walk_each;
        return walk == nullptr || (count_ != 0 && alone != nullptr) ? alone : walk;
    }
    void clear() noexcept {
        for (requests& one : waiting_) one.clear();
    }

private:
    using requests =
        boost::intrusive::list<chunk_request, boost::intrusive::constant_time_size<false>>;
    static constexpr unsigned walk_each = 4;
    // Reads after one that was alone until the next is not expected any more.
    static constexpr std::uint64_t alone_memory = 4096;
    static constexpr unsigned most_hanging = 3;

    [[nodiscard]] static bool goes_through_file(read_turn kind) noexcept {
        return kind >= read_turn::walk_again;
    }
    [[nodiscard]] unsigned most_walks() const noexcept {
        const read_counts& hanging = reads_.hanging();
        return std::max(most_walks_,
                        std::min(most_walks_ + hanging.walks + hanging.aheads, at_once_ / 2));
    }
    [[nodiscard]] requests& of(read_turn kind) noexcept {
        return waiting_[static_cast<std::size_t>(kind)];
    }
    [[nodiscard]] const requests& of(read_turn kind) const noexcept {
        return waiting_[static_cast<std::size_t>(kind)];
    }
    [[nodiscard]] bool some_before_aheads() const noexcept {
        return (!full() && some_alone()) || (!full(read_turn::walk) && some_walk());
    }
    [[nodiscard]] bool some_alone() const noexcept {
        return !of(read_turn::alone_again).empty() || !of(read_turn::alone).empty();
    }
    [[nodiscard]] bool some_walk() const noexcept {
        return !of(read_turn::walk_again).empty() || !of(read_turn::walk).empty();
    }
    [[nodiscard]] chunk_request* first_of(read_turn before, read_turn after) noexcept {
        requests& one = of(before).empty() ? of(after) : of(before);
        return one.empty() ? nullptr : &one.front();
    }

    std::array<requests, read_turn_kinds> waiting_;
    bounds bounds_;
    std::uint64_t memory_ = 0;
    unsigned at_once_ = 1;
    unsigned most_walks_ = 1;
    unsigned count_ = 0;  ///< turns of those that somebody waits for, since a walk's
    std::uint64_t since_alone_ = 0;
    bool beside_alone_ = false;  ///< some of the latest reads were alone
    aged_reads reads_;
};

}  // namespace leat::detail
