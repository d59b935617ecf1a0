// Waiting for time to pass.
#pragma once

#include <leat/engine/detail/suspension.hpp>
#include <leat/engine/error.hpp>

namespace leat {

/// `co_await sleep(10ms)` resumes on the same shard, not before that time has passed; at once, but
/// from the ready queue, for none or less, and only by a stop request for time_span::max(). Throws
/// errc::cancelled or errc::stopped if a stop is requested first. Allocates nothing. May be moved
/// before it is awaited.
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
