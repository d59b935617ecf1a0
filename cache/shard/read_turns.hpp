// Requests whose reads wait until others of their manager have ended.
#pragma once

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
/// Reads that hang, of files behind a network perhaps, do not hold up what others ask for: those
/// that are two ages old are counted no more when in the third none of them has ended. Where the
/// source is only slow some have, as a rule. So that hanging reads cannot take all memory, no more
/// follow those that are not counted than with them have half of it, or are three times as many as
/// may be in flight.
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
    /// What a read has taken: nothing, of those that wait in a fill_queue, which are few as it is.
    struct taken {
        std::uint32_t age = 0;
        std::uint32_t turns = 0;  ///< of those who go through files
        std::uint32_t bytes = 0;  ///< of the buffers that it reads into
        bool ahead = false;       ///< nobody waits for it
        [[nodiscard]] bool some() const noexcept { return age != 0; }
    };
    /// A small read that somebody waits for, or a window of so many fragments, has begun, into
    /// `bytes` of buffers.
    [[nodiscard]] taken begin(read_turn kind,
                              std::uint64_t bytes,
                              std::size_t fragments = 1) noexcept {
        const bool walks = goes_through_file(kind);
        const taken all{age_, walks ? (fragments > 1 ? 2U : 1U) : 0U,
                        static_cast<std::uint32_t>(bytes), kind == read_turn::ahead};
        counted_.add(reads{all});
        by_age_[0].add(reads{all});
        since_alone_ = walks ? since_alone_ + 1 : 0;
        beside_alone_ = beside_alone_ || !walks;
        return all;
    }
    /// It has ended. Others may begin, then.
    void end(const taken& all) noexcept {
        beside_alone_ = beside_alone_ && since_alone_ < alone_memory;
        if (all.age < counted_from_) return hanging_.remove(reads{all});
        const std::uint32_t old = std::min(age_ - all.age, oldest);
        old_ended_ = old_ended_ || old == oldest;
        counted_.remove(reads{all});
        by_age_[old].remove(reads{all});
    }
    /// An age is over. To be called at equal distances while some wait, as long as it returns true,
    /// and again from when a read has begun or ended: something may come of the next.
    bool grow_older() noexcept {
        reads& old = by_age_[oldest];
        const bool ended = std::exchange(old_ended_, false);
        const bool few = hanging_.all + old.all <= most_hanging * at_once_ &&
                         hanging_.bytes + old.bytes <= memory_ / 2;
        // Others need what is left of the memory, however much the first have.
        const bool hang = !ended && old.all != 0 && (few || hanging_.all == 0);
        if (hang) {
            hanging_.add(old);
            counted_.remove(old);
            old = reads{};
            counted_from_ = age_ - (oldest - 1);
        }
        const bool some = by_age_[0].all != 0 || by_age_[1].all != 0;
        old.add(by_age_[1]);
        by_age_[1] = std::exchange(by_age_[0], reads{});
        ++age_;
        return some || hang || ended;
    }
    /// Without those that hang.
    [[nodiscard]] unsigned in_flight() const noexcept { return counted_.all; }

    /// Whether no read may begin, or none of this kind.
    [[nodiscard]] bool full() const noexcept { return in_flight() >= at_once_; }
    [[nodiscard]] bool full(read_turn kind) const noexcept {
        if (full() || !goes_through_file(kind) || !beside_alone_) return full();
        const unsigned aheads = kind == read_turn::ahead ? counted_.aheads : 0;
        return counted_.walks + aheads >= most_walks_;
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
    static constexpr std::uint32_t oldest = 2;
    static constexpr unsigned most_hanging = 3;
    struct reads {
        unsigned all = 0;
        // Turns of those who go through files.
        unsigned walks = 0;
        unsigned aheads = 0;
        std::uint64_t bytes = 0;

        explicit reads() = default;
        explicit reads(const taken& one)
            : all(1),
              walks(one.ahead ? 0 : one.turns),
              aheads(one.ahead ? one.turns : 0),
              bytes(one.bytes) {}
        void add(const reads& more) noexcept {
            all += more.all;
            walks += more.walks;
            aheads += more.aheads;
            bytes += more.bytes;
        }
        void remove(const reads& some) noexcept {
            assert(all >= some.all && walks >= some.walks && aheads >= some.aheads);
            assert(bytes >= some.bytes);
            all -= some.all;
            walks -= some.walks;
            aheads -= some.aheads;
            bytes -= some.bytes;
        }
    };

    [[nodiscard]] static bool goes_through_file(read_turn kind) noexcept {
        return kind >= read_turn::walk_again;
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
    std::uint32_t age_ = oldest;
    std::uint32_t counted_from_ = 0;
    reads counted_;
    std::array<reads, oldest + 1> by_age_;  ///< the same, the youngest first
    bool old_ended_ = false;                ///< of the oldest one in this age
    reads hanging_;                         ///< those that are not counted any more
};

}  // namespace leat::detail
