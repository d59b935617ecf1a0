// Something that has happened, for the tasks of one shard to wait for.
#pragma once

#include <leat/engine/detail/wait_line.hpp>

#include <cstddef>
#include <utility>

namespace leat {

/// Set or not; whoever waits goes on when it is set, and it stays so until reset().
///
///     leat::manual_reset_event ready;
///     co_await ready.wait();  // until some task of this shard calls ready.set()
///
/// Threads: for the tasks of the shard that made it; use on another one ends the program with a
/// sentence: go there by resume_on, or spawn_on. What was written before set() is seen by whoever
/// it lets go on.
///
/// Completion: at once if it is set, also when a stop is requested; otherwise set() resumes all
/// that wait, in the order in which they came, from the ready queue. A reset() after that does not
/// hold them back. A wait allocates nothing.
///
/// Cancellation: a stop request of the enclosing task ends the wait with errc::cancelled, or
/// errc::stopped if the engine stops.
///
/// Lifetime: longer than what waits, else the program ends with a sentence; those that set() has
/// let go do not use it any more.
class manual_reset_event {
public:
    class waiter;

    /// Not set. On a shard.
    manual_reset_event() noexcept : line_(activity::event) {}

    void set() noexcept {
        line_.check_shard();
        set_ = true;
        while (!line_.empty()) line_.pop_front().serve();
    }
    void reset() noexcept {
        line_.check_shard();
        set_ = false;
    }
    [[nodiscard]] bool is_set() const noexcept { return set_; }
    /// Awaited, it resumes when the event is set; the object may be moved before.
    [[nodiscard]] waiter wait() noexcept;
    /// Tasks that wait.
    [[nodiscard]] std::size_t waiting() const noexcept { return line_.size(); }

private:
    bool set_ = false;
    detail::wait_line line_;
};

/// What manual_reset_event::wait() gives.
class [[nodiscard]] manual_reset_event::waiter final
    : public detail::line_wait,
      public detail::awaited_once<manual_reset_event::waiter> {
public:
    explicit waiter(manual_reset_event& of) noexcept : line_wait(of.line_), of_(of) {}
    waiter(waiter&& other) noexcept
        : line_wait(other.line()), awaited_once(std::move(other)), of_(other.of_) {}

    [[nodiscard]] bool await_ready() const noexcept {
        of_.line_.check_shard();
        return of_.set_;
    }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
        join_line(coroutine);
    }
    void await_resume() const { throw_if_stopped(); }

private:
    manual_reset_event& of_;
};

inline manual_reset_event::waiter manual_reset_event::wait() noexcept {
    return waiter{*this};
}

}  // namespace leat
