// What policies share that keep their chunks in queues.
#pragma once

#include "eviction_policy.hpp"
#include "ghost_list.hpp"
#include "resident_queue.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace leat::detail {

/// A policy over `Queues` queues; `resident::queue` says in which a chunk is.
template <std::size_t Queues>
class queue_policy : public eviction_policy {
public:
    void erase(resident& gone) noexcept override {
        if (gone.in_policy) leave(gone);
    }
    void replace(resident& moved, resident& by) noexcept override {
        resident_queue::replace(moved, by);
        queues_[moved.queue].follow(moved, by);
    }
    void remember_at_most(std::uint64_t bytes) noexcept override { most_remembered_ = bytes; }
    [[nodiscard]] bool empty() const noexcept override {
        return std::all_of(queues_.begin(), queues_.end(),
                           [](const resident_queue& one) { return one.empty(); });
    }

protected:
    /// Whether there is memory for one key more that is gone.
    [[nodiscard]] bool may_remember_more() const noexcept {
        return remembered_bytes() + ghost_list::bytes_a_key <= most_remembered_;
    }
    [[nodiscard]] resident_queue& queue(std::size_t which) noexcept { return queues_[which]; }
    [[nodiscard]] std::uint64_t bytes(std::size_t which) const noexcept {
        return queues_[which].bytes();
    }
    [[nodiscard]] std::size_t count() const noexcept {
        std::size_t all = 0;
        for (const resident_queue& one : queues_) all += one.size();
        return all;
    }
    void enter(resident& added, std::size_t which) noexcept {
        added.in_policy = true;
        added.queue = static_cast<std::uint8_t>(which) & 3;
        queues_[which].push(added);
    }
    void leave(resident& gone) noexcept {
        gone.in_policy = false;
        queues_[gone.queue].remove(gone);
    }
    void move(resident& moved, std::size_t to) noexcept {
        leave(moved);
        enter(moved, to);
    }
    /// The oldest of a queue that may go, whether it was used or not; out of it.
    resident* oldest(std::size_t which, judge decide, void* state, bool& stopped) noexcept {
        std::size_t left = 2 * queues_[which].size();
        for (auto next = queues_[which].begin(); next != queues_[which].end() && left > 0; --left) {
            resident& candidate = *next;
            const verdict said = decide(state, candidate);
            stopped = said == verdict::stop;
            if (stopped) return nullptr;
            if (said == verdict::used) continue;  // it is asked again
            ++next;
            if (passes(said)) continue;
            leave(candidate);
            if (said == verdict::evict) return &candidate;
        }
        return nullptr;
    }

    /// The oldest of a queue that was not used since the last look; out of it. Those that were go
    /// to the end of the queue `to`.
    resident* unused(
        std::size_t which, std::size_t to, judge decide, void* state, bool& stopped) noexcept {
        resident_queue& from = queues_[which];
        // Other shards go on using what is looked at here: that must not keep this from ending.
        std::size_t left = 2 * from.size();
        for (auto next = from.begin(); next != from.end() && left > 0; --left) {
            resident& oldest = *next++;
            const verdict said = decide(state, oldest);
            stopped = said == verdict::stop;
            if (stopped) return nullptr;
            if (passes(said)) continue;
            if (said == verdict::used && to == which) {
                from.rotate(oldest, next);
            } else if (said == verdict::used) {
                move(oldest, to);
            } else {
                leave(oldest);
                if (said == verdict::evict) return &oldest;
            }
        }
        return nullptr;
    }

private:
    std::array<resident_queue, Queues> queues_;
    std::uint64_t most_remembered_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace leat::detail
