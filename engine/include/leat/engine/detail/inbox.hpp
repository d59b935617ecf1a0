// Messages to a shard from threads that are no shards: a multi-producer stack, taken whole.
#pragma once

#include <leat/engine/detail/work.hpp>

#include <atomic>
#include <cstdint>

namespace leat::detail {

/// Any thread pushes, one shard takes. Lock-free: push is one compare-and-swap loop, take one
/// exchange (Treiber's stack; no ABA problem, since nothing is popped singly). What a producer
/// wrote before push is seen by the shard that takes the message.
///
/// A gate counts the threads that are about to push, so that the shard ends neither under them nor
/// behind their backs: one that enter() admits may push and use the shard until it leaves; close()
/// succeeds only while nobody is inside, and nobody enters after it. Whoever closes takes once
/// more.
///
/// Invariant, told by fault(): nobody leaves who has not entered.
template <template <class> class Atomic = std::atomic>
class inbox {
public:
    void push(work& message) noexcept {
        work* top = top_.load(std::memory_order_relaxed);
        do {
            message.next = top;
        } while (!top_.compare_exchange_weak(top, &message, std::memory_order_seq_cst,
                                             std::memory_order_relaxed));
    }

    /// Shard: whether there is something; sequentially consistent, for parking.
    [[nodiscard]] bool empty() const noexcept {
        return top_.load(std::memory_order_seq_cst) == nullptr;
    }

    /// Shard: moves everything into `queue`, oldest first.
    void take(work_queue& queue) noexcept {
        if (top_.load(std::memory_order_relaxed) == nullptr) return;
        work* item = top_.exchange(nullptr, std::memory_order_acquire);
        work* oldest = nullptr;
        while (item != nullptr) {
            work* const below = item->next;
            item->next = oldest;
            oldest = item;
            item = below;
        }
        while (oldest != nullptr) {
            work* const above = oldest->next;
            queue.push(*oldest);
            oldest = above;
        }
    }

    /// Producer: whether the gate is open; then leave() is due.
    [[nodiscard]] bool enter() noexcept {
        if ((gate_.fetch_add(one_inside, std::memory_order_acquire) & closed) == 0) return true;
        leave();
        return false;
    }
    void leave() noexcept { gate_.fetch_sub(one_inside, std::memory_order_release); }
    /// Shard: whether somebody is inside who may push.
    [[nodiscard]] bool occupied() const noexcept {
        const std::uint64_t state = gate_.load(std::memory_order_acquire);
        return state >= one_inside && (state & closed) == 0;
    }
    /// Shard: closes the gate for good unless somebody is inside. Returns whether it is closed.
    [[nodiscard]] bool close() noexcept {
        std::uint64_t state = 0;
        return gate_.compare_exchange_strong(state, closed, std::memory_order_acq_rel,
                                             std::memory_order_acquire) ||
               (state & closed) != 0;
    }
    /// Shard: closes the gate, somebody inside or not.
    void shut() noexcept { gate_.fetch_or(closed, std::memory_order_acq_rel); }

    /// Any thread: nullptr, or which invariant is broken.
    [[nodiscard]] const char* fault() const noexcept {
        const bool below_none = gate_.load(std::memory_order_relaxed) >> 63 != 0;
        return below_none ? "more have left an inbox than had entered" : nullptr;
    }

private:
    friend struct tampering;  // tests break what fault() tells
    static constexpr std::uint64_t closed = 1;
    static constexpr std::uint64_t one_inside = 2;

    alignas(64) Atomic<work*> top_{nullptr};
    // Not beside top_, at which the shard looks each turn.
    alignas(64) Atomic<std::uint64_t> gate_{0};
};

}  // namespace leat::detail
