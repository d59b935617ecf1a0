// Slices dropped off their home shard: a list that outlives the shard.
#pragma once

#include <atomic>
#include <cstdint>

namespace leat::detail {

/// Nodes that any thread hands to one home, until the home closes. Node has `Node* foreign_next`.
///
/// Lock-free for those who push. close() waits for those that are between push and wake, a few
/// instructions, so that what they wake may be destroyed afterwards.
template <class Node, template <class> class Atomic = std::atomic>
class foreign_release {
public:
    /// Any thread. Returns false if the home has closed: then the caller must settle the node
    /// itself. Otherwise wake() is called, while the home cannot go away.
    template <class Wake>
    bool push(Node& node, Wake wake) noexcept {
        pushing_.fetch_add(1, std::memory_order_seq_cst);
        Node* top = top_.load(std::memory_order_relaxed);
        bool open = true;
        do {
            open = top != closed();
            if (!open) break;
            node.foreign_next = top;
        } while (!top_.compare_exchange_weak(top, &node, std::memory_order_seq_cst,
                                             std::memory_order_relaxed));
        if (open) wake();
        pushing_.fetch_sub(1, std::memory_order_release);
        return open;
    }

    /// Home: calls settle(Node&) for each node pushed.
    template <class Settle>
    void take(Settle settle) noexcept {
        if (top_.load(std::memory_order_relaxed) == nullptr) return;
        walk(top_.exchange(nullptr, std::memory_order_acquire), settle);
    }
    /// Home: the last take.
    template <class Settle>
    void close(Settle settle) noexcept {
        walk(top_.exchange(closed(), std::memory_order_seq_cst), settle);
        while (pushing_.load(std::memory_order_seq_cst) != 0) {
        }
    }
    [[nodiscard]] bool empty() const noexcept {
        return top_.load(std::memory_order_seq_cst) == nullptr;
    }

private:
    [[nodiscard]] Node* closed() const noexcept {
        return reinterpret_cast<Node*>(std::uintptr_t{1});
    }
    template <class Settle>
    void walk(Node* node, Settle settle) noexcept {
        if (node == closed()) return;
        while (node != nullptr) {
            Node* const next = node->foreign_next;
            settle(*node);
            node = next;
        }
    }

    alignas(64) Atomic<Node*> top_{nullptr};
    Atomic<std::uint32_t> pushing_{0};
};

}  // namespace leat::detail
