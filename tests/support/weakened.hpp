// Atomics with one memory order too weak: what a test of interleavings must find.
#pragma once

#include "interleaving.hpp"

namespace leat::test {

/// explored_atomic where every operation of order From has order To instead; of a read-modify-write
/// that is both acquire and release, only the half that From names is weakened.
///
/// Use: `mailbox<weakened<std::memory_order_release>::atomic>`.
template <std::memory_order From>
struct weakened {
    static constexpr std::memory_order weaker(std::memory_order order) {
        using enum std::memory_order;
        if (order == From && order != seq_cst) return relaxed;
        if (order == acq_rel && From == release) return acquire;
        if (order == acq_rel && From == acquire) return release;
        return order;
    }
    static constexpr std::memory_order for_load(std::memory_order order) {
        const bool strict = order == std::memory_order_seq_cst && order == From;
        return strict ? std::memory_order_acquire : weaker(order);
    }
    static constexpr std::memory_order for_store(std::memory_order order) {
        const bool strict = order == std::memory_order_seq_cst && order == From;
        return strict ? std::memory_order_release : weaker(order);
    }
    static constexpr std::memory_order for_both(std::memory_order order) {
        const bool strict = order == std::memory_order_seq_cst && order == From;
        return strict ? std::memory_order_acq_rel : weaker(order);
    }

    template <class T>
    class atomic {
    public:
        atomic() = default;
        atomic(T value) : strong_(value) {}

        T load(std::memory_order order) const { return strong_.load(for_load(order)); }
        void store(T value, std::memory_order order) { strong_.store(value, for_store(order)); }
        T exchange(T value, std::memory_order order) {
            return strong_.exchange(value, for_both(order));
        }
        T fetch_or(T bits, std::memory_order order) {
            return strong_.fetch_or(bits, for_both(order));
        }
        T fetch_add(T count, std::memory_order order) {
            return strong_.fetch_add(count, for_both(order));
        }
        T fetch_sub(T count, std::memory_order order) {
            return strong_.fetch_sub(count, for_both(order));
        }
        bool compare_exchange_weak(T& expected,
                                   T desired,
                                   std::memory_order success,
                                   std::memory_order failure) {
            return strong_.compare_exchange_weak(expected, desired, for_both(success),
                                                 for_load(failure));
        }
        bool compare_exchange_strong(T& expected,
                                     T desired,
                                     std::memory_order success,
                                     std::memory_order failure) {
            return compare_exchange_weak(expected, desired, success, failure);
        }
        [[nodiscard]] T latest() const { return strong_.latest(); }

    private:
        explored_atomic<T> strong_;
    };
};

using weak_release = weakened<std::memory_order_release>;
using weak_acquire = weakened<std::memory_order_acquire>;
using weak_order = weakened<std::memory_order_seq_cst>;

}  // namespace leat::test
