// What decides between the end of a task and whoever holds its handle.
#pragma once

#include <atomic>

namespace leat::detail {

/// Between the shard where a task was started and the one that holds its handle: at most one stop
/// request is sent, none after the task's end, and the end waits for one that is on its way, so
/// that the message finds task and shard; of the end and the letting go of the handle, the later
/// one sees the earlier, and what was written before it.
template <template <class> class Atomic = std::atomic>
class handle_gate {
public:
    /// Holder, any thread: whether a stop request is to be sent now, to the task's shard.
    [[nodiscard]] bool ask() noexcept {
        return (state_.fetch_or(asked, std::memory_order_acq_rel) & (asked | ended)) == 0;
    }
    /// Holder, last of all: whether the task has ended before.
    [[nodiscard]] bool let_go() noexcept {
        return (state_.fetch_or(dropped, std::memory_order_acq_rel) & ended) != 0;
    }

    /// Task's shard: the stop request has arrived. Returns whether the end waited for it.
    [[nodiscard]] bool arrive() noexcept {
        arrived_ = true;
        return closed_;
    }
    /// Task's shard, once: the task has ended. Returns whether that is all; if not, a request is on
    /// its way, and arrive() follows.
    [[nodiscard]] bool end() noexcept {
        closed_ = true;
        before_ = state_.fetch_or(ended, std::memory_order_acq_rel);
        return (before_ & asked) == 0 || arrived_;
    }
    /// Task's shard, after end(): whether the handle had been let go before.
    [[nodiscard]] bool let_go_before_end() const noexcept { return (before_ & dropped) != 0; }

private:
    static constexpr unsigned asked = 1;
    static constexpr unsigned ended = 2;
    static constexpr unsigned dropped = 4;

    Atomic<unsigned> state_{0};
    // The task's shard's own.
    unsigned before_ = 0;
    bool arrived_ = false;
    bool closed_ = false;
};

}  // namespace leat::detail
