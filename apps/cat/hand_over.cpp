// A bounded queue of slices between a shard and the writing thread.
#include "hand_over.hpp"

namespace leat::cat {

bool hand_over::room_awaiter::await_suspend(std::coroutine_handle<> coroutine) noexcept {
    const std::lock_guard lock{queue_.mutex_};
    if (queue_.closed_ || queue_.queue_.size() < queue_.capacity_) return false;
    node_.coroutine = coroutine;
    home_ = &this_shard();
    queue_.waiter_ = this;
    return true;
}

void hand_over::put(slice piece) {
    const std::lock_guard lock{mutex_};
    if (closed_) return;
    queue_.push_back(std::move(piece));
    changed_.notify_one();
}

void hand_over::finish() noexcept {
    const std::lock_guard lock{mutex_};
    finished_ = true;
    changed_.notify_one();
}

slice hand_over::take() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return closed_ || finished_ || !queue_.empty(); });
    if (closed_ || queue_.empty()) return {};
    slice piece = std::move(queue_.front());
    queue_.pop_front();
    resume_waiter();
    return piece;
}

void hand_over::close() noexcept {
    std::deque<slice> dropped;  // outside the lock
    const std::lock_guard lock{mutex_};
    closed_ = true;
    dropped.swap(queue_);
    changed_.notify_one();
    resume_waiter();
}

bool hand_over::closed() const noexcept {
    const std::lock_guard lock{mutex_};
    return closed_;
}

// The engine does not end before the coroutine has, so its shard is there.
void hand_over::resume_waiter() noexcept {
    room_awaiter* const waiter = std::exchange(waiter_, nullptr);
    if (waiter != nullptr) waiter->home_->deliver(waiter->node_);
}

}  // namespace leat::cat
