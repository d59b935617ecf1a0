// Blocks of noted requests between a shard and the thread that writes them.
#pragma once

#include <leat/cache/detail/request_log.hpp>

#include <atomic>
#include <cstddef>
#include <utility>

namespace leat::detail {

/// A block and what is in it; its memory is the recorder's.
struct log_block {
    log_block* next = nullptr;
    log_slot* slots = nullptr;
    std::size_t used = 0;
    unsigned shard = 0;
};

/// The block that was pushed last is the first to be popped. Any thread pushes; one pops, so that
/// the top cannot have gone and come back while it looks at it.
class block_stack {
public:
    void push(log_block& added) noexcept {
        added.next = top_.load(std::memory_order_relaxed);
        while (!top_.compare_exchange_weak(added.next, &added, std::memory_order_release,
                                           std::memory_order_relaxed)) {
        }
    }
    [[nodiscard]] log_block* pop() noexcept {
        log_block* top = top_.load(std::memory_order_acquire);
        while (top != nullptr &&
               !top_.compare_exchange_weak(top, top->next, std::memory_order_acquire)) {
        }
        return top;
    }
    /// All of them, linked by `next`, the one first that was pushed first.
    [[nodiscard]] log_block* take_all() noexcept {
        log_block* rest = top_.exchange(nullptr, std::memory_order_acquire);
        log_block* all = nullptr;
        while (rest != nullptr) {
            log_block* const one = std::exchange(rest, rest->next);
            one->next = std::exchange(all, one);
        }
        return all;
    }

private:
    std::atomic<log_block*> top_{nullptr};
};

}  // namespace leat::detail
