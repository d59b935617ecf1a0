// Threads for the system calls that may block.
#pragma once

#include "operation_list.hpp"
#include "waker.hpp"

#include <leat/io/backend.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace leat::io {

/// Runs operations on files on a few threads, in the order in which they come. A call that says
/// EAGAIN, as an open does while another process is told to give up its lease on the file, is made
/// again by and by; meanwhile it keeps no thread. All members are for the one thread that owns it.
class call_pool {
public:
    /// The threads use `wakes` when there is something to take. Throws boost::system::system_error
    /// if the system has no threads to give.
    call_pool(unsigned threads, waker& wakes);
    call_pool(const call_pool&) = delete;
    call_pool& operator=(const call_pool&) = delete;
    /// Waits for the calls that run now; those behind them are forgotten.
    ~call_pool();

    /// Takes over pending operations.
    void post(operation_list& operations);

    /// Marks an operation as cancelled; unlinks it, in whatever list it is, if it is still pending.
    /// False if it is not: a thread works on it, or has, and it is not made again.
    [[nodiscard]] bool withdraw(operation& op) noexcept;

    /// Moves the finished operations, with their results, to the end of `done`.
    void take(operation_list& done) noexcept;

    void add_to(operation_summary& summary) const;
    /// Operations that were posted, and neither withdrawn nor taken.
    [[nodiscard]] std::size_t size() const noexcept;
    /// Calls that were made again.
    [[nodiscard]] std::uint64_t retries() const noexcept;

private:
    void work() noexcept;
    [[nodiscard]] operation* next(std::unique_lock<std::mutex>& lock);
    void finish(operation& op, int result) noexcept;
    void stop() noexcept;

    waker& waker_;
    std::atomic<bool> some_done_{false};
    mutable std::mutex mutex_;  ///< guards what follows, and the state of the operations
    std::condition_variable work_arrived_;
    operation_list queue_;
    operation_list again_;  ///< to be made again at `again_at_`
    time_point again_at_ = time_point::max();
    std::uint64_t retries_ = 0;
    operation_list running_;
    operation_list done_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace leat::io
