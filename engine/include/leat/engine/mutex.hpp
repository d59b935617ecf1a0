// Mutual exclusion of the tasks of one shard, across their waits.
#pragma once

#include <leat/engine/semaphore.hpp>

#include <utility>

namespace leat {

/// Held by one task at a time. A shard runs one task at a time anyway: this is for what must stay
/// undisturbed while its task waits for something, such as answers that are written one after the
/// other.
///
///     leat::mutex writing;
///     const leat::mutex::guard mine = co_await writing.lock();  // until `mine` is destroyed
///
/// Threads, order, completion, cancellation, errors and lifetime are a semaphore's of one permit:
/// one shard, first come first served, errc::cancelled or errc::stopped by a stop request. Not
/// recursive: a task that locks it twice waits for itself, and engine::waiting() tells.
class mutex {
public:
    /// Holds the lock; unlocks when it is destroyed, on the mutex's shard. Move-only.
    class [[nodiscard]] guard {
    public:
        /// Unlocks early. No effect if that has been done, or it was moved from.
        void unlock() noexcept { permit_.release(); }
        [[nodiscard]] bool owns_lock() const noexcept { return static_cast<bool>(permit_); }

    private:
        friend class mutex;
        explicit guard(semaphore::permit permit) noexcept : permit_(std::move(permit)) {}
        semaphore::permit permit_;
    };
    class locking;

    /// Not locked. On a shard.
    mutex() noexcept : one_(1, activity::mutex) {}

    /// Awaited, it gives a guard; the object may be moved before.
    [[nodiscard]] locking lock();
    /// Without waiting: an empty optional if it is locked.
    [[nodiscard]] std::optional<guard> try_lock() noexcept {
        std::optional<semaphore::permit> got = one_.try_acquire();
        if (!got) return std::nullopt;
        return guard{std::move(*got)};
    }
    [[nodiscard]] bool locked() const noexcept { return one_.available() == 0; }
    /// Tasks that wait.
    [[nodiscard]] std::size_t waiting() const noexcept { return one_.waiting(); }

private:
    semaphore one_;
};

/// What mutex::lock() gives.
class [[nodiscard]] mutex::locking : public detail::awaited_once<mutex::locking> {
public:
    explicit locking(mutex& of) : wait_(of.one_.acquire()) {}
    locking(locking&&) noexcept = default;

    [[nodiscard]] bool await_ready() const noexcept { return wait_.await_ready(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
        wait_.await_suspend(coroutine);
    }
    [[nodiscard]] guard await_resume() const { return guard{wait_.await_resume()}; }

private:
    semaphore::acquisition wait_;
};

inline mutex::locking mutex::lock() {
    return locking{*this};
}

}  // namespace leat
