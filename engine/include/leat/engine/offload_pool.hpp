// Threads that are no shards, for what would block one.
#pragma once

#include <leat/engine/detail/offload_job.hpp>

#include <boost/intrusive/list.hpp>

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace leat {

/// How an offload_pool is made.
struct offload_options {
    unsigned threads = 2;          ///< at least 1; they run side by side
    std::size_t max_queue = 1024;  ///< functions that may wait for a thread, at least 1
};

/// Threads for functions that compute long or make blocking calls; see offload().
///
/// They take no signals and are not pinned. One pool serves any number of shards and engines; every
/// member but the destructor may be called from any thread.
class offload_pool {
public:
    /// Throws errc::invalid_option for a number below its limit; std::system_error or
    /// std::bad_alloc if a thread cannot be had.
    explicit offload_pool(const offload_options& options = {});
    offload_pool(const offload_pool&) = delete;
    offload_pool& operator=(const offload_pool&) = delete;
    /// Blocks until every function that waits or runs has ended. The tasks that wait for them may
    /// outlast it. Nobody may call offload() meanwhile.
    ~offload_pool();

    [[nodiscard]] const offload_options& options() const noexcept { return options_; }
    /// Functions that wait for a thread now.
    [[nodiscard]] std::size_t queued() const;

    /// For offload(): false if the queue is full.
    [[nodiscard]] bool submit(detail::offload_job& job) noexcept;
    /// For offload(): takes back one that was submitted; false if it runs or has run.
    [[nodiscard]] bool withdraw(detail::offload_job& job) noexcept;

private:
    void work() noexcept;
    void end() noexcept;

    const offload_options options_;
    mutable std::mutex mutex_;  // the members below; held for a few instructions only
    std::condition_variable changed_;
    boost::intrusive::list<detail::offload_job> waiting_;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace leat
