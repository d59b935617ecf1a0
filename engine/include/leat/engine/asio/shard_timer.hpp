// Waits on a shard's clock, with the interface of Asio's steady_timer.
#pragma once

#include <leat/engine/asio/detail/completion.hpp>
#include <leat/engine/asio/shard_executor.hpp>
#include <leat/engine/asio/use_task.hpp>
#include <leat/engine/detail/calling.hpp>
#include <leat/engine/detail/waiter.hpp>
#include <leat/io/detail/misuse.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <tuple>
#include <utility>

namespace leat {

namespace detail {

/// A wait for a shard_timer.
struct timer_wait : waiter {
    using waiter::waiter;
    [[nodiscard]] std::tuple<boost::system::error_code> outcome() const noexcept {
        return {system_error_code(-result)};
    }
};

}  // namespace detail

/// A deadline that any number of operations wait for, kept in the shard's own queue of timers: no
/// descriptor, no system call. Everything is called on its shard, else the program ends with a
/// sentence; but after the engine has ended it may be destroyed anywhere. A wait ends with
/// asio::error::operation_aborted if the deadline is changed, at cancel(), when the timer is
/// destroyed, by its cancellation slot, and when the engine stops. For completion handlers see
/// tcp_stream.
class shard_timer {
public:
    using executor_type = shard_executor;
    using clock_type = io::clock;
    using duration = clock_type::duration;
    using time_point = clock_type::time_point;

    explicit shard_timer(const executor_type& executor)
        : executor_(executor), stopped_(home().stopping()) {
        expect_home();
        if (!stopped_) home().add_stop_listener(stopper_);
    }
    shard_timer(const executor_type& executor, time_point expiry) : shard_timer(executor) {
        expires_at(expiry);
    }
    shard_timer(const executor_type& executor, time_span from_now) : shard_timer(executor) {
        expires_after(from_now);
    }
    shard_timer(const shard_timer&) = delete;
    shard_timer& operator=(const shard_timer&) = delete;
    ~shard_timer() { cancel(); }

    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }
    [[nodiscard]] time_point expiry() const noexcept { return alarm_.deadline; }

    /// Sets the deadline, by the shard's clock (shard::now()), and ends the waits for the former
    /// one. Returns how many.
    std::size_t expires_at(time_point expiry) noexcept {
        const std::size_t ended = cancel();
        alarm_.deadline = expiry;
        return ended;
    }
    /// As expires_at(), so long from now; time_span::max() never comes.
    std::size_t expires_after(time_span from_now) noexcept {
        return expires_at(home().after(from_now));
    }
    /// Ends all waits. Returns how many.
    std::size_t cancel() noexcept {
        expect_home();
        if (alarm_.pending()) home().remove_timer(alarm_);
        return detail::finish_all(waiting_, -ECANCELED);
    }

    /// Waits for the deadline; one that has passed is posted. Handler: void(error_code).
    ///
    ///     leat::shard_timer timer(leat::shard_executor::current(), 10ms);
    ///     co_await timer.async_wait();
    template <class Token = use_task_t>
    auto async_wait(Token&& token = Token()) {
        return boost::asio::async_initiate<Token, void(boost::system::error_code)>(initiation{this},
                                                                                   token);
    }

private:
    struct initiation {
        [[nodiscard]] static where awaits() noexcept { return {.doing = activity::sleep}; }
        using executor_type = shard_executor;
        [[nodiscard]] executor_type get_executor() const noexcept { return waited->executor_; }
        template <class Handler>
        void operator()(Handler&& handler) const {
            waited->start_wait(std::forward<Handler>(handler));
        }
        shard_timer* waited;
    };

    [[nodiscard]] shard& home() const noexcept { return executor_.home(); }
    void expect_home() const noexcept {
        if (shard::current() == &home() || stopped_ || home().ended()) return;
        detail::misuse(
            "a shard_timer was made, used or destroyed on another thread than its shard's: make "
            "one "
            "where it is to be awaited");
    }

    void expire() noexcept { detail::finish_all(waiting_, 0); }

    void engine_stops() noexcept {
        stopped_ = true;
        cancel();
    }

    template <class Handler>
    void start_wait(Handler&& handler) {
        using operation = detail::completion<detail::timer_wait, std::decay_t<Handler>>;
        expect_home();
        auto& op = operation::make(home(), std::forward<Handler>(handler), 0);
        if (stopped_) {
            op.finish(-ECANCELED);
            return;
        }
        if (alarm_.deadline <= home().now()) {
            op.finish(0);
            return;
        }
        waiting_.push_back(op);
        if (!alarm_.pending()) home().add_timer(alarm_, alarm_.deadline);
    }

    executor_type executor_;
    // Pending while somebody waits.
    detail::calling<detail::timer, &shard_timer::expire> alarm_{*this};
    detail::waiter_list waiting_;
    detail::calling<detail::stop_listener, &shard_timer::engine_stops> stopper_{*this};
    bool stopped_;
};

}  // namespace leat
