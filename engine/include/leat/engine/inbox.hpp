// Messages to a shard from threads that are no shards: a multi-producer stack, taken whole.
#pragma once

#include <leat/engine/work.hpp>

#include <atomic>

namespace leat {

/// Any thread pushes, one shard takes. Lock-free: push is one compare-and-swap loop, take one
/// exchange (Treiber's stack; no ABA problem, since nothing is popped singly). What a producer
/// wrote before push is seen by the shard that takes the message.
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

private:
    alignas(64) Atomic<work*> top_{nullptr};
};

}  // namespace leat
