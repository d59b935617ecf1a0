// Starts the thread, hands it work, and waits.
#include "common/pinned_thread.hpp"

#include <pthread.h>
#include <sched.h>

#include <utility>

namespace leat::perf {

pinned_thread::pinned_thread(unsigned cpu) : thread_([this, cpu] { main(cpu); }) {}

pinned_thread::~pinned_thread() {
    {
        const std::lock_guard lock{mutex_};
        ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void pinned_thread::run(const std::function<void()>& job) {
    std::unique_lock lock{mutex_};
    job_ = &job;
    changed_.notify_all();
    changed_.wait(lock, [this] { return job_ == nullptr; });
    if (escaped_) std::rethrow_exception(std::exchange(escaped_, nullptr));
}

void pinned_thread::main(unsigned cpu) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    ::pthread_setaffinity_np(::pthread_self(), sizeof only, &only);
    std::unique_lock lock{mutex_};
    while (true) {
        changed_.wait(lock, [this] { return job_ != nullptr || ending_; });
        if (job_ == nullptr) return;
        lock.unlock();
        try {
            (*job_)();
        } catch (...) {
            escaped_ = std::current_exception();
        }
        lock.lock();
        job_ = nullptr;
        changed_.notify_all();
    }
}

}  // namespace leat::perf
