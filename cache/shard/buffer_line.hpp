// The requests of a shard that wait for a buffer, for reads that are in their way, or for a turn.
#pragma once

#include "fill_state.hpp"
#include "read_turns.hpp"

#include <leat/cache/detail/chunk_request.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

namespace leat::detail {

/// In the order of their arrival, in a queue for each size of buffers, so that nobody waits behind
/// those who need more; those for one piece of a file are found without a look at the others, of
/// which there may be as many as a server has clients. Those that a read is in the way of stand
/// behind that, and those whose read would be one too many wait for their turns: they are not
/// looked at before. Intrusive: nothing allocates.
class buffer_line {
public:
    using queue = boost::intrusive::list<chunk_request>;
    /// Those that no buffer helps: what they want to replace is being read. In the queue are those
    /// of them for which that is over.
    static constexpr std::size_t held_up = 0;
    static constexpr std::size_t queues = 33;

    /// The queue of those that need a buffer of `bytes`.
    [[nodiscard]] static std::size_t queue_for(std::uint64_t bytes) noexcept {
        return std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(bytes)), queues - 1);
    }

    ~buffer_line() {
        by_place_.clear_and_dispose([](chunk_request* one) {
            if (one->behind != nullptr) one->behind->held_up.clear();
            if (one->turns != nullptr) one->turns->clear();
        });
        turning_.clear();
        for (queue& one : queues_) one.clear();
    }

    [[nodiscard]] bool empty() const noexcept { return by_place_.empty(); }
    [[nodiscard]] queue& of(std::size_t which) noexcept { return queues_[which]; }
    [[nodiscard]] const queue& of(std::size_t which) const noexcept { return queues_[which]; }
    /// Whether some of them wait only for what has been asked back.
    [[nodiscard]] bool has_brief() const noexcept { return brief_ != 0; }

    void push(chunk_request& waiter, std::size_t which) noexcept {
        enter(waiter);
        stand(waiter, which);
    }
    /// The same for one that waits until `by` is no longer under way.
    void push_behind(chunk_request& waiter, fill_state& by) noexcept {
        enter(waiter);
        stand_behind(waiter, by);
    }
    /// The same for one whose read would be one too many.
    void push_turn(chunk_request& waiter, read_turns& turns, read_turn kind) noexcept {
        enter(waiter);
        stand_for_turn(waiter, turns, kind);
    }
    /// Precondition: it waits here.
    void remove(chunk_request& waiter) noexcept {
        unlink(waiter);
        by_place_.erase(by_place_.iterator_to(waiter));
        brief_ -= waiter.patience == patience::brief ? 1 : 0;
    }
    /// It waits for something else now: it goes to the end of another queue. Precondition: it
    /// waits here.
    void move(chunk_request& waiter, std::size_t to) noexcept {
        unlink(waiter);
        stand(waiter, to);
    }
    /// The same to its front, for one that has stood there.
    void move_back(chunk_request& waiter, std::size_t to) noexcept {
        unlink(waiter);
        waiter.line = static_cast<std::uint8_t>(to);
        queues_[to].push_front(waiter);
    }
    void move_behind(chunk_request& waiter, fill_state& by) noexcept {
        unlink(waiter);
        stand_behind(waiter, by);
    }
    void move_turn(chunk_request& waiter, read_turns& turns, read_turn kind) noexcept {
        unlink(waiter);
        stand_for_turn(waiter, turns, kind);
    }
    /// As many as may have reads now are to be looked at; whether there are such.
    [[nodiscard]] bool take_turns() noexcept {
        bool some = false;
        for (auto next = turning_.begin(); next != turning_.end();) {
            read_turns& of = *next++;  // it may leave the list
            for (unsigned begun = of.in_flight; begun < of.at_once && !of.empty(); ++begun) {
                move(of.next(), held_up);
                some = true;
            }
        }
        return some;
    }
    /// Whether some wait for a turn that they could have.
    [[nodiscard]] bool may_take_turns() const noexcept {
        return std::any_of(turning_.begin(), turning_.end(),
                           [](const read_turns& one) { return !one.full(); });
    }
    /// Those behind it are to be looked at.
    void release(fill_state& over) noexcept {
        while (!over.held_up.empty()) move(over.held_up.front(), held_up);
    }
    /// Calls visit(waiter) for those that begin in [from, to) of chunk `index` of `file`; it may
    /// remove the one that it is given.
    template <class Visit>
    void each_at(const file_record& file,
                 std::uint64_t index,
                 std::uint64_t from,
                 std::uint64_t to,
                 Visit visit) noexcept {
        auto next = by_place_.lower_bound(key{&file, index, from});
        while (next != by_place_.end() && key_of{}(*next) < key{&file, index, to}) visit(*next++);
    }
    /// Calls visit(waiter) for all, in the order of their places; it may remove the one that it is
    /// given.
    template <class Visit>
    void each(Visit visit) noexcept {
        for (auto next = by_place_.begin(); next != by_place_.end();) visit(*next++);
    }

private:
    using key = std::tuple<const file_record*, std::uint64_t, std::uint64_t>;
    struct key_of {
        using type = key;
        key operator()(const chunk_request& of) const noexcept {
            return {of.file, of.index, of.in};
        }
    };
    using places = boost::intrusive::multiset<chunk_request,
                                              boost::intrusive::base_hook<buffer_line_hook>,
                                              boost::intrusive::key_of_value<key_of>>;

    void enter(chunk_request& waiter) noexcept {
        waiter.waits = chunk_request::place::buffer;
        by_place_.insert(waiter);  // behind its equals
        brief_ += waiter.patience == patience::brief ? 1 : 0;
    }
    void stand(chunk_request& waiter, std::size_t which) noexcept {
        waiter.line = static_cast<std::uint8_t>(which);
        queues_[which].push_back(waiter);
    }
    static void stand_behind(chunk_request& waiter, fill_state& by) noexcept {
        waiter.line = held_up;
        waiter.behind = &by;
        by.held_up.push_back(waiter);
    }
    void stand_for_turn(chunk_request& waiter, read_turns& turns, read_turn kind) noexcept {
        if (turns.empty()) turning_.push_back(turns);
        waiter.line = held_up;
        turns.push(waiter, kind);
    }
    void unlink(chunk_request& waiter) noexcept {
        if (read_turns* const turns = waiter.turns) {
            turns->remove(waiter);
            if (turns->empty()) turning_.erase(turning_.iterator_to(*turns));
        } else if (fill_state* const by = std::exchange(waiter.behind, nullptr)) {
            by->held_up.erase(by->held_up.iterator_to(waiter));
        } else {
            queue& in = queues_[waiter.line];
            in.erase(in.iterator_to(waiter));
        }
    }

    std::array<queue, queues> queues_;
    places by_place_;
    boost::intrusive::list<read_turns> turning_;  ///< those for which somebody waits
    std::uint64_t brief_ = 0;
};

}  // namespace leat::detail
