// Slices on their way from the coroutine that reads to the thread that writes.
#pragma once

#include <leat/cache/slice.hpp>
#include <leat/engine/resumption.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>

namespace leat::cat {

/// A bounded queue between one coroutine and one thread: the coroutine suspends while it is full,
/// the thread blocks while it is empty, and neither waits for the other's work.
class hand_over {
public:
    explicit hand_over(std::size_t capacity) noexcept : capacity_(capacity) {}
    hand_over(const hand_over&) = delete;
    hand_over& operator=(const hand_over&) = delete;

    /// `co_await` waits until there is room, and gives whether there still is a taker. On a shard.
    class room_awaiter {
    public:
        explicit room_awaiter(hand_over& queue) noexcept : queue_(queue) {}
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        bool await_suspend(std::coroutine_handle<> coroutine) noexcept;
        [[nodiscard]] bool await_resume() const noexcept { return !queue_.closed(); }

    private:
        friend class hand_over;
        hand_over& queue_;
        resumption node_;
        shard* home_ = nullptr;
    };
    [[nodiscard]] room_awaiter room() noexcept { return room_awaiter{*this}; }

    /// Adds a slice, after room() said so. Never waits.
    void put(slice piece);
    /// There will be no more. Any thread.
    void finish() noexcept;

    /// The next slice, or an empty one at the end. Blocks the thread; not on a shard.
    [[nodiscard]] slice take();
    /// Nobody takes any more: drops what is queued, and whoever waits goes on. Any thread.
    void close() noexcept;
    [[nodiscard]] bool closed() const noexcept;

private:
    void resume_waiter() noexcept;

    const std::size_t capacity_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<slice> queue_;
    room_awaiter* waiter_ = nullptr;
    bool finished_ = false;
    bool closed_ = false;
};

}  // namespace leat::cat
