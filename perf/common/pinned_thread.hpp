// A thread on one CPU that runs what it is given: rivals run where the shard runs.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace leat::perf {

/// Runs functions one after the other, on one thread pinned to one CPU.
class pinned_thread {
public:
    explicit pinned_thread(unsigned cpu);
    pinned_thread(const pinned_thread&) = delete;
    pinned_thread& operator=(const pinned_thread&) = delete;
    ~pinned_thread();

    /// Runs `job` there and waits; rethrows what it throws.
    void run(const std::function<void()>& job);

private:
    void main(unsigned cpu);

    std::mutex mutex_;
    std::condition_variable changed_;
    const std::function<void()>* job_ = nullptr;
    std::exception_ptr escaped_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace leat::perf
