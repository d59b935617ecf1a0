// Requests whose reads wait until others of their manager have ended.
#pragma once

#include <leat/cache/detail/chunk_request.hpp>

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace leat::detail {

/// Of one manager on one shard. A device that has been given more reads than it works on at once
/// lets the latest wait for all of them, and each of them keeps a buffer that nothing has landed
/// in. So no more than `at_once` are in flight, and whose read would be one more waits here,
/// without a buffer. A reader that goes through a file has a turn after three that ask for one
/// thing, since he waits for many reads and they for one; what nobody waits for yet comes last; and
/// of a kind those go first that had their turn already and found no buffer then.
///
/// Reads of those who go through files are large: a few keep a device all but busy, and who asks
/// for one thing waits for all that it has begun. So beside such they have no more than an eighth
/// of the turns, of which a window of several fragments takes two.
///
/// A read that hangs, of a file behind a network perhaps, keeps its turn until the turns have aged
/// twice: what others ask for is not held up by it for longer.
class read_turns {
public:
    /// How many reads may be in flight: at least one.
    void set_at_once(unsigned count) noexcept {
        assert(count != 0);
        at_once_ = count;
    }
    /// What a read has taken: nothing, of those that wait in a fill_queue, which are few as it is.
    struct taken {
        std::uint32_t age = 0;
        std::uint32_t walks = 0;  ///< turns of those that go through files
        [[nodiscard]] bool some() const noexcept { return age != 0; }
    };
    /// A small read that somebody waits for, or a window of so many fragments, has begun; `walks`:
    /// of those who go through files.
    [[nodiscard]] taken begin(bool walks, std::size_t fragments = 1) noexcept {
        const taken all{age_, walks ? (fragments > 1 ? 2U : 1U) : 0U};
        ++young_.all;
        young_.walks += all.walks;
        since_alone_ = walks ? since_alone_ + 1 : 0;
        beside_alone_ = beside_alone_ || !walks;
        return all;
    }
    /// It has ended. Others may begin, then.
    void end(const taken& all) noexcept {
        beside_alone_ = beside_alone_ && since_alone_ < alone_memory;
        if (age_ - all.age > 1) return;  // it has kept its turn no longer
        reads& of = all.age == age_ ? young_ : old_;
        assert(of.all != 0 && of.walks >= all.walks);
        --of.all;
        of.walks -= all.walks;
    }
    /// To be called at equal distances while some wait.
    void grow_older() noexcept {
        old_ = std::exchange(young_, {});
        if (++age_ == 0) ++age_;
    }
    [[nodiscard]] unsigned in_flight() const noexcept { return young_.all + old_.all; }

    /// Whether no read may begin, or none of this kind.
    [[nodiscard]] bool full() const noexcept { return in_flight() >= at_once_; }
    [[nodiscard]] bool full(read_turn kind) const noexcept {
        return full() || (goes_through_file(kind) && beside_alone_ &&
                          young_.walks + old_.walks >= most_walks());
    }
    [[nodiscard]] bool empty() const noexcept {
        return std::all_of(waiting_.begin(), waiting_.end(),
                           [](const requests& one) { return one.empty(); });
    }
    /// Whether one of that kind that comes now has to wait for its turn: others wait, too.
    [[nodiscard]] bool must_wait(read_turn kind) const noexcept {
        return full(kind) || (goes_through_file(kind) ? !empty() : some_alone());
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
        return (!full() && some_alone()) || (!full(read_turn::walk) && !empty());
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
    struct reads {
        unsigned all = 0;
        unsigned walks = 0;  ///< turns, of those who go through files
    };

    [[nodiscard]] static bool goes_through_file(read_turn kind) noexcept {
        return kind >= read_turn::walk_again;
    }
    [[nodiscard]] unsigned most_walks() const noexcept { return std::max(at_once_ / 8, 1U); }
    [[nodiscard]] requests& of(read_turn kind) noexcept {
        return waiting_[static_cast<std::size_t>(kind)];
    }
    [[nodiscard]] const requests& of(read_turn kind) const noexcept {
        return waiting_[static_cast<std::size_t>(kind)];
    }
    [[nodiscard]] bool some_alone() const noexcept {
        return !of(read_turn::alone_again).empty() || !of(read_turn::alone).empty();
    }
    [[nodiscard]] chunk_request* first_of(read_turn before, read_turn after) noexcept {
        requests& one = of(before).empty() ? of(after) : of(before);
        return one.empty() ? nullptr : &one.front();
    }

    std::array<requests, read_turn_kinds> waiting_;
    unsigned at_once_ = 1;
    unsigned count_ = 0;  ///< turns of those that somebody waits for, since a walk's
    std::uint64_t since_alone_ = 0;
    bool beside_alone_ = false;  ///< some of the latest reads were alone
    std::uint32_t age_ = 1;
    reads young_;  ///< in flight, of this age
    reads old_;    ///< of the age before
};

}  // namespace leat::detail
