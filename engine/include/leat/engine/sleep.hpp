// Letting others go first, and letting time pass.
#pragma once

#include <leat/engine/detail/suspension.hpp>
#include <leat/engine/error.hpp>
#include <leat/engine/resumption.hpp>

#include <coroutine>

namespace leat {

/// Lets other work of this shard that is ready go first: for loops that compute for long.
///
///     co_await leat::yield{};
///
/// Completion: on the same shard, from the ready queue, behind what stands there. Awaited on a
/// shard, once. Allocates nothing, and does not observe stop requests.
class [[nodiscard]] yield : public detail::awaited_once<yield> {
public:
    [[nodiscard]] yield() = default;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) noexcept {
        node_.coroutine = coroutine;
        this_shard().schedule(node_);
    }
    void await_resume() const noexcept {}

private:
    resumption node_;
};

/// Lets time pass, while the shard serves others.
///
///     co_await leat::sleep(10ms);
///
/// Completion: on the same shard, from the ready queue, not before that time has passed since the
/// co_await; how long after depends on what else runs there. With no time or less it resumes at
/// once, after what is ready already. time_span::max() ends by a stop request only.
///
/// Threads: awaited on a shard, once; the object may be moved before.
///
/// Memory: allocates nothing.
///
/// Errors, cancellation: a stop request of the enclosing task ends it, and it throws
/// errc::cancelled, or errc::stopped if the engine stops.
class [[nodiscard]] sleep : public detail::awaited_once<sleep> {
public:
    [[nodiscard]] explicit sleep(time_span duration) noexcept
        : duration_(duration), timer_(&fired) {
        timer_.self = this;
    }
    sleep(sleep&& other) noexcept
        : awaited_once(std::move(other)), duration_(other.duration_), timer_(&fired) {
        timer_.self = this;
    }
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
        suspension_.self = this;
        suspension_.suspend(coroutine, &stopped);
        suspension_.home().add_timer(timer_, suspension_.home().after(duration_));
        suspension_.listen();
    }
    void await_resume() const {
        if (stopped_) throw system_error({suspension_.stop_reason(), {.doing = activity::sleep}});
    }

private:
    struct waiting final : detail::suspension {
        [[nodiscard]] where awaits() const noexcept override { return {.doing = activity::sleep}; }
        sleep* self = nullptr;
    };
    struct alarm : detail::timer {
        using detail::timer::timer;
        sleep* self = nullptr;
    };
    static void fired(detail::work& item) noexcept {
        static_cast<alarm&>(item).self->suspension_.finish();
    }
    static void stopped(detail::suspension& waited) noexcept {
        sleep& self = *static_cast<waiting&>(waited).self;
        waited.home().remove_timer(self.timer_);
        self.stopped_ = true;
        waited.finish();
    }

    time_span duration_;
    alarm timer_;
    waiting suspension_;
    bool stopped_ = false;
};

}  // namespace leat
