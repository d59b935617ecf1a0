// What wakes a backend's thread.
#pragma once

#include <atomic>

namespace leat::io {

/// An eventfd that any thread writes to and one thread, having read it, resets. Wakes before a
/// reset are as one: the first of them makes the system call, the others only write to memory.
class waker {
public:
    /// `flags` as of eventfd(2). Throws boost::system::system_error if there is no descriptor to
    /// have.
    explicit waker(int flags);
    waker(const waker&) = delete;
    waker& operator=(const waker&) = delete;
    ~waker();

    /// Makes the descriptor readable, and returns whether that took a system call. What the caller
    /// wrote before is visible to whoever has reset it after. Async-signal-safe.
    bool wake() noexcept;

    /// To be called when the descriptor has been read, before looking for what the wakers wrote.
    void reset() noexcept;

    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

private:
    int descriptor_;
    std::atomic<bool> woken_{false};
};

}  // namespace leat::io
