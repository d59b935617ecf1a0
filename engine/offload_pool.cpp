// The threads of a pool, and the jobs they take in order.
#include <leat/engine/offload.hpp>
#include <leat/engine/options.hpp>
#include <leat/io/detail/threads.hpp>

namespace leat {

offload_pool::offload_pool(const offload_options& options) : options_(options) {
    if (options.threads == 0) refuse(errc::invalid_option, "an offload_pool needs a thread");
    if (options.max_queue == 0)
        refuse(errc::invalid_option, "an offload_pool needs room for a waiting function");
    try {
        threads_.reserve(options.threads);
        for (unsigned count = 0; count < options.threads; ++count) {
            threads_.push_back(detail::start_thread([this] { work(); }));
        }
    } catch (...) {
        end();
        throw;
    }
}

offload_pool::~offload_pool() {
    end();
}

void offload_pool::end() noexcept {
    {
        const std::lock_guard lock{mutex_};
        ending_ = true;
    }
    changed_.notify_all();
    for (std::thread& one : threads_) one.join();
}

std::size_t offload_pool::queued() const {
    const std::lock_guard lock{mutex_};
    return waiting_.size();
}

bool offload_pool::submit(detail::offload_job& job) noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (waiting_.size() == options_.max_queue) return false;
        job.queued = true;
        waiting_.push_back(job);
    }
    changed_.notify_one();
    return true;
}

bool offload_pool::withdraw(detail::offload_job& job) noexcept {
    const std::lock_guard lock{mutex_};
    if (!job.queued) return false;
    job.queued = false;
    waiting_.erase(waiting_.iterator_to(job));
    return true;
}

void offload_pool::work() noexcept {
    std::unique_lock lock{mutex_};
    for (;;) {
        changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        detail::offload_job& next = waiting_.front();
        waiting_.pop_front();
        next.queued = false;
        lock.unlock();
        next.run(next);
        lock.lock();
    }
}

}  // namespace leat
