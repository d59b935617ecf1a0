// What wakes a backend's thread.
#pragma once

#include <atomic>

namespace leat::io {

/// An eventfd that any thread rings and one thread, having read it, answers. Rings before an answer
/// are as one: the first of them makes the system call, the others only write to memory.
class doorbell {
public:
    /// `flags` as of eventfd(2). Throws boost::system::system_error if there is no descriptor to
    /// have.
    explicit doorbell(int flags);
    doorbell(const doorbell&) = delete;
    doorbell& operator=(const doorbell&) = delete;
    ~doorbell();

    /// Makes the descriptor readable, and returns whether that took a system call. What the caller
    /// wrote before is visible to whoever has answered after. Async-signal-safe.
    bool ring() noexcept;

    /// To be called when the descriptor has been read, before looking for what the ringers wrote.
    void answer() noexcept;

    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

private:
    int descriptor_;
    std::atomic<bool> rung_{false};
};

}  // namespace leat::io
