// A deadline for a task, or whatever else is awaited.
#pragma once

#include <leat/engine/detail/await_result.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/sleep.hpp>

namespace leat {

namespace detail {
/// Requests a stop of its own source when a time has passed or the enclosing token asks for it.
class deadline_stop {
public:
    deadline_stop(time_span duration, const std::stop_token& outer)
        : timer_(&fired), home_(this_shard()), forward_(outer, forward{source_}) {
        timer_.self = this;
        home_.add_timer(timer_, home_.after(duration));
    }
    deadline_stop(const deadline_stop&) = delete;
    deadline_stop& operator=(const deadline_stop&) = delete;
    ~deadline_stop() { home_.remove_timer(timer_); }
    [[nodiscard]] bool passed() const noexcept { return passed_; }
    [[nodiscard]] const std::stop_token& token() const noexcept { return token_; }

private:
    struct alarm : timer {
        using timer::timer;
        deadline_stop* self = nullptr;
    };
    struct forward {
        std::stop_source& source;
        void operator()() const noexcept { source.request_stop(); }
    };
    static void fired(work& item) noexcept {
        deadline_stop& self = *static_cast<alarm&>(item).self;
        self.passed_ = true;
        self.source_.request_stop();
    }
    std::stop_source source_;
    std::stop_token token_ = source_.get_token();
    alarm timer_;
    shard& home_;
    bool passed_ = false;
    std::stop_callback<forward> forward_;
};
}  // namespace detail

/// Awaits a task, and asks it to stop when `duration` has passed.
///
///     const std::string text = co_await leat::with_timeout(page_of(manager, file), 2s);
///
/// Completion: when the task has ended, on the shard that awaits it. The time counts from the
/// co_await on; time_span::max() is no limit. A task that does not observe its stop token is waited
/// for all the same, since it may use what its awaiter owns.
///
/// Errors: throws errc::timed_out if the task, having been asked to stop, ends by errc::cancelled.
/// Whatever else it gives or throws is passed on, even if it comes late.
///
/// Cancellation: a stop request of the enclosing task reaches the task, too. It takes the place of
/// a token that task::set_stop() gave it.
///
/// Threads: awaited on a shard.
template <class T>
[[nodiscard]] task<T> with_timeout(task<T> job, time_span duration) {
    const std::stop_token outer = co_await current_stop_token{};
    detail::deadline_stop deadline{duration, outer};
    job.set_stop(deadline.token());
    detail::outcome_state<T> outcome;
    {
        task<T> running = std::move(job);
        try {
            if constexpr (std::is_void_v<T>) {
                co_await std::move(running);
                outcome.set_value();
            } else {
                outcome.set_value(co_await std::move(running));
            }
        } catch (...) {
            outcome.set_exception(std::current_exception());
        }
    }
    if (deadline.passed() && outcome.failure() && outcome.failure()->code == errc::cancelled) {
        throw system_error({errc::timed_out, outcome.failure()->where});
    }
    co_return outcome.take(false);
}

namespace detail {
/// `Awaitable` is a reference, or something that is kept here.
template <class Awaitable>
task<await_result_t<Awaitable>> await_as_task(Awaitable awaitable) {
    if constexpr (std::is_lvalue_reference_v<Awaitable>) {
        co_return co_await awaitable;  // by its name: GCC 12 copies what a call refers to
    } else {
        co_return co_await std::move(awaitable);
    }
}
}  // namespace detail

/// As above, for whatever can be awaited: a temporary is moved into the wait, a named awaitable is
/// referred to and must outlive it.
///
///     co_await leat::with_timeout(jobs.join(), 2s);  // then the jobs are asked to stop
template <class Awaitable>
[[nodiscard]] auto with_timeout(Awaitable&& awaitable, time_span duration)
    -> task<detail::await_result_t<Awaitable>> {
    return with_timeout(detail::await_as_task<Awaitable>(std::forward<Awaitable>(awaitable)),
                        duration);
}

}  // namespace leat
