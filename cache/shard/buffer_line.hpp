// The requests of a shard that wait for a buffer, for reads that are in their way, or for a turn.
#pragma once

#include "fill_state.hpp"
#include "manager_line.hpp"

#include <leat/cache/detail/chunk_request.hpp>
#include <leat/cache/detail/presence.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>

#include <algorithm>
#include <bit>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

namespace leat::detail {

/// For buffers they stand in the order in which they first had to wait for one, in a queue for each
/// size, so that nobody waits behind those who need more, and for each manager, so that nobody
/// waits behind those whose manager may have no more reads. Those for one piece of a file are found
/// without a look at the others, of which there may be as many as a server has clients. Those that
/// a read is in the way of stand behind that, and those whose read would be one too many wait for
/// their turns: they are not looked at before. Intrusive: nothing allocates.
class buffer_line {
public:
    using queue = manager_line::queue;
    /// Those that no buffer helps: what they want to replace is being read, or they wait for a
    /// turn.
    static constexpr std::size_t held_up = manager_line::queues;

    /// The queue of those that need a buffer of `bytes`.
    [[nodiscard]] static std::size_t queue_for(std::uint64_t bytes) noexcept {
        const auto number = static_cast<std::size_t>(std::bit_width(bytes / unit_size));
        return std::min(std::max<std::size_t>(number, 1) - 1, manager_line::queues - 1);
    }

    ~buffer_line() {
        by_place_.clear_and_dispose([](chunk_request* one) {
            if (one->behind != nullptr) one->behind->held_up.clear();
            one->stands_in->clear();
        });
        managers_.clear();
        over_.clear();
    }

    [[nodiscard]] bool empty() const noexcept { return by_place_.empty(); }
    /// Who is to have the next buffer, or nullptr: who came first of those whose manager may have
    /// more reads, and who do not stand in queues `without`.
    [[nodiscard]] chunk_request* next(const std::bitset<manager_line::queues>& without) noexcept {
        chunk_request* first = nullptr;
        for (std::size_t which = 0; which < manager_line::queues; ++which) {
            chunk_request* const one = without.test(which) ? nullptr : next_of(which);
            if (one != nullptr && (first == nullptr || one->arrival < first->arrival)) first = one;
        }
        return first;
    }
    /// The same of those who need a buffer of this queue.
    [[nodiscard]] chunk_request* next_of(std::size_t which) noexcept {
        chunk_request* first = nullptr;
        for (manager_line& one : managers_) {
            for (const read_turn kind : manager_line::kinds) {
                queue& in = one.for_buffer(kind, which);
                if (in.empty() || one.turns.full(kind)) continue;
                if (first == nullptr || in.front().arrival < first->arrival) first = &in.front();
            }
        }
        return first;
    }
    /// Of those for which the read is over that was in their way, or that have their turns, who is
    /// to be looked at next, or nullptr. None of them stays where it is.
    [[nodiscard]] chunk_request* next_over() noexcept {
        return over_.empty() ? nullptr : &over_.front();
    }
    /// Whether some wait for a buffer only while one has been asked back.
    [[nodiscard]] bool has_brief() const noexcept { return brief_ != 0; }

    /// It waits for a buffer, of those of its manager.
    void push(chunk_request& waiter, manager_line& of, std::size_t which) noexcept {
        enter(waiter, of);
        stand(waiter, which);
    }
    /// The same for one that waits until `by` is no longer under way.
    void push_behind(chunk_request& waiter, manager_line& of, fill_state& by) noexcept {
        enter(waiter, of);
        stand_behind(waiter, by);
    }
    /// The same for one whose read would be one too many.
    void push_turn(chunk_request& waiter, manager_line& of, read_turn kind) noexcept {
        enter(waiter, of);
        stand_for_turn(waiter, kind);
    }
    /// Precondition: it waits here.
    void remove(chunk_request& waiter) noexcept {
        unlink(waiter);
        by_place_.erase(by_place_.iterator_to(waiter));
    }
    /// It waits for a buffer of that queue now. Precondition: it waits here.
    void move(chunk_request& waiter, std::size_t to) noexcept {
        unlink(waiter);
        stand(waiter, to);
    }
    void move_behind(chunk_request& waiter, fill_state& by) noexcept {
        unlink(waiter);
        stand_behind(waiter, by);
    }
    void move_turn(chunk_request& waiter, read_turn kind) noexcept {
        unlink(waiter);
        stand_for_turn(waiter, kind);
    }
    /// One of each manager that may have a read now is to be looked at; whether there are such.
    [[nodiscard]] bool take_turns() noexcept {
        bool some = false;
        for (auto next = managers_.begin(); next != managers_.end();) {
            read_turns& turns = (next++)->turns;  // it may leave the list
            if (chunk_request* const first = turns.next()) {
                move_over(*first);
                some = true;
            }
        }
        return some;
    }
    /// The reads grow older of those managers of which some wait; whether something may come of it.
    [[nodiscard]] bool age_reads(std::uint64_t memory) noexcept {
        bool some = false;
        for (manager_line& one : managers_) some = one.grow_older(memory) || some;
        return some;
    }
    /// The shard has so much memory now.
    void fit_turns(std::uint64_t memory) noexcept {
        for (manager_line& one : managers_) one.turns.fit(memory);
    }
    /// Whether some wait for a turn that they could have.
    [[nodiscard]] bool may_take_turns() const noexcept {
        return std::any_of(managers_.begin(), managers_.end(),
                           [](const manager_line& one) { return one.turns.some_may_begin(); });
    }
    /// Those behind it are to be looked at.
    void release(fill_state& over) noexcept {
        while (!over.held_up.empty()) move_over(over.held_up.front());
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

    /// Calls visit(waiter) for those who wait for a buffer of that queue.
    template <class Visit>
    void each_in(std::size_t which, Visit visit) noexcept {
        for (manager_line& one : managers_)
            for (const read_turn kind : manager_line::kinds)
                for (chunk_request& waiter : one.for_buffer(kind, which)) visit(waiter);
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

    void enter(chunk_request& waiter, manager_line& of) noexcept {
        waiter.waits = chunk_request::place::buffer;
        waiter.stands_in = &of;
        waiter.arrival = 0;
        by_place_.insert(waiter);  // behind its equals
    }
    void join_manager(chunk_request& waiter) noexcept {
        waiter.stands_in->entered();
        if (!waiter.stands_in->is_linked()) managers_.push_back(*waiter.stands_in);
    }
    void stand(chunk_request& waiter, std::size_t which) noexcept {
        waiter.line = static_cast<std::uint8_t>(which);
        join_manager(waiter);
        brief_ += waiter.patience == patience::brief ? 1 : 0;
        queue& in = waiter.stands_in->for_buffer(turn_of(waiter), which);
        if (waiter.arrival == 0) waiter.arrival = ++arrivals_;
        if (in.empty() || in.back().arrival < waiter.arrival) return in.push_back(waiter);
        // Who comes back has stood at the front, as a rule.
        auto before = in.begin();
        while (before->arrival < waiter.arrival) ++before;
        in.insert(before, waiter);
    }
    static void stand_behind(chunk_request& waiter, fill_state& by) noexcept {
        waiter.line = held_up;
        waiter.behind = &by;
        by.held_up.push_back(waiter);
    }
    void stand_for_turn(chunk_request& waiter, read_turn kind) noexcept {
        waiter.line = held_up;
        join_manager(waiter);
        waiter.stands_in->turns.push(waiter, kind);
    }
    void move_over(chunk_request& waiter) noexcept {
        unlink(waiter);
        waiter.line = held_up;
        over_.push_back(waiter);
    }
    void unlink(chunk_request& waiter) noexcept {
        manager_line& in = *waiter.stands_in;
        if (waiter.waits_for_turn) {
            in.turns.remove(waiter);
            in.left();
        } else if (fill_state* const by = std::exchange(waiter.behind, nullptr)) {
            by->held_up.erase(by->held_up.iterator_to(waiter));
        } else if (waiter.line == held_up) {
            over_.erase(over_.iterator_to(waiter));
        } else {
            brief_ -= waiter.patience == patience::brief ? 1 : 0;
            in.for_buffer(turn_of(waiter), waiter.line).erase(queue::s_iterator_to(waiter));
            in.left();
        }
        if (in.is_linked() && in.empty()) managers_.erase(managers_.iterator_to(in));
    }

    queue over_;
    places by_place_;
    boost::intrusive::list<manager_line> managers_;  ///< those of which some wait
    std::uint64_t brief_ = 0;
    std::uint64_t arrivals_ = 0;
};

}  // namespace leat::detail
