// Threads that take calls from a queue and hand back what they gave.
#include "call_pool.hpp"

#include "blocking_call.hpp"

#include <leat/io/detail/threads.hpp>
#include <leat/io/error.hpp>

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <new>
#include <system_error>

namespace leat::io {

namespace {

// Another try a tenth of a millisecond after the first, and then at ever longer intervals: a rename
// elsewhere passes at once, a lease may be kept for minutes.
std::chrono::microseconds pause_before(std::uint32_t tries) noexcept {
    constexpr std::chrono::microseconds first{100};
    constexpr std::chrono::microseconds longest{50'000};
    return std::min(longest, first * (1 << std::min(tries, 10U)));
}

}  // namespace

call_pool::call_pool(unsigned threads, waker& wakes) : waker_(wakes) {
    int failed_with = 0;
    try {
        threads_.reserve(threads);
        for (unsigned i = 0; i < threads; ++i) {
            threads_.push_back(leat::detail::start_thread([this] { work(); }));
        }
    } catch (const std::system_error& failure) {
        failed_with = failure.code().value();
    } catch (const std::bad_alloc&) {
        failed_with = ENOMEM;
    }
    if (failed_with != 0) {
        stop();
        throw boost::system::system_error(system_error_code(failed_with),
                                          "starting the threads that read files");
    }
}

call_pool::~call_pool() {
    stop();
}

void call_pool::stop() noexcept {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    work_arrived_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

void call_pool::work() noexcept {
    std::unique_lock lock(mutex_);
    while (operation* const op = next(lock)) {
        op->state = operation::phase::submitted;
        running_.push_back(*op);
        lock.unlock();
        const int result = call_blocking(*op);
        lock.lock();
        unlink(*op);
        finish(*op, result);
    }
}

// The next call to make; waits for one. Null when the pool is to end.
operation* call_pool::next(std::unique_lock<std::mutex>& lock) {
    for (;;) {
        if (stopping_) {
            return nullptr;
        }
        if (!again_.empty() && again_at_ <= clock::now()) {
            queue_.splice(queue_.begin(), again_);
        }
        if (!queue_.empty()) {
            operation& op = queue_.front();
            queue_.pop_front();
            return &op;
        }
        if (again_.empty()) {
            work_arrived_.wait(lock);
        } else {
            work_arrived_.wait_until(lock, again_at_);
        }
    }
}

void call_pool::finish(operation& op, int result) noexcept {
    if (result == -EAGAIN && !op.cancel_requested) {
        const time_point due = clock::now() + pause_before(op.tries++);
        again_at_ = again_.empty() ? due : std::min(again_at_, due);
        op.state = operation::phase::pending;
        again_.push_back(op);
        ++retries_;
        return;
    }
    op.result = result == -EAGAIN ? -ECANCELED : result;
    done_.push_back(op);
    some_done_.store(true, std::memory_order_release);
    waker_.wake();
}

void call_pool::post(operation_list& operations) {
    if (operations.empty()) {
        return;
    }
    const bool one = std::next(operations.begin()) == operations.end();
    {
        const std::lock_guard lock(mutex_);
        queue_.splice(queue_.end(), operations);
    }
    if (one) {
        work_arrived_.notify_one();
    } else {
        work_arrived_.notify_all();
    }
}

bool call_pool::withdraw(operation& op) noexcept {
    const std::lock_guard lock(mutex_);
    op.cancel_requested = true;
    if (op.state != operation::phase::pending) {
        return false;
    }
    unlink(op);
    return true;
}

void call_pool::take(operation_list& done) noexcept {
    if (some_done_.exchange(false, std::memory_order_acq_rel)) {
        const std::lock_guard lock(mutex_);
        done.splice(done.end(), done_);
    }
}

void call_pool::add_to(operation_summary& summary) const {
    const std::lock_guard lock(mutex_);
    summary.add(queue_);
    summary.add(again_);
    summary.add(running_);
    summary.add(done_);
}

std::size_t call_pool::size() const noexcept {
    const std::lock_guard lock(mutex_);
    return queue_.size() + again_.size() + running_.size() + done_.size();
}

std::uint64_t call_pool::retries() const noexcept {
    const std::lock_guard lock(mutex_);
    return retries_;
}

}  // namespace leat::io
