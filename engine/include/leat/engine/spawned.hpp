// A task that runs on its own on some shard, and the handle to its outcome.
#pragma once

#include <leat/engine/detail/root.hpp>
#include <leat/engine/detail/started_task.hpp>
#include <leat/engine/detail/suspension.hpp>
#include <leat/engine/engine.hpp>
#include <leat/io/detail/misuse.hpp>
#include <leat/io/time_span.hpp>

#include <memory>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

namespace leat {

/// A task that has been started, and the only handle to it. Await it once on a shard, of any
/// engine, or get() it on a foreign thread.
///
/// Cancellation: while the handle is held, or awaited, request_stop(), a stop of the token given to
/// engine::spawn_on and a stop of the task that awaits it reach the task, each by a message to the
/// shard it was started on, wherever it is; the task is waited for all the same. A handle that is
/// destroyed lets the task run on by itself: only the engine's stop reaches it then.
///
/// Errors: what ends the task is thrown where it is awaited or got. Where nobody takes it, since
/// the handle is gone or goes without, it is told to engine_options::on_event, as long as there is
/// the engine; errc::cancelled of a task that was asked to stop is not. An engine that gives up
/// (stop_report) ends the waits of foreign threads and of other engines for its tasks with
/// errc::stopped; what such a task refers to may still be in use by the device and must outlive it.
///
/// Threads: a handle may be moved to any thread or shard, and is used by one at a time.
template <class T>
class spawned {
public:
    explicit spawned(std::shared_ptr<detail::started_state<T>> state) noexcept
        : state_(std::move(state)) {}
    spawned(spawned&& other) noexcept = default;
    spawned& operator=(spawned&& other) noexcept {
        spawned dropped{std::exchange(state_, std::exchange(other.state_, nullptr))};
        return *this;
    }
    ~spawned() {
        if (state_) state_->let_go();
    }

    /// Waits for the end, and gives the value or throws what ended the task; once. Blocks the
    /// thread. Not on a shard.
    T get() { return get(time_span::max()); }
    /// As get(); but when `limit` has passed it asks the task to stop and throws errc::timed_out.
    /// The task still uses what it refers to: get() again waits for its end.
    ///
    ///     auto text = engine.spawn_on(0, page_of(manager, file));
    ///     try {
    ///         use(text.get(2s));
    ///     } catch (const leat::system_error&) {  // `file` is still in use
    ///         text.get();
    ///     }
    T get(time_span limit) { return get(std::stop_token{}, limit); }
    /// As above, and throws errc::cancelled, after it has asked the task to stop, when `stop` is
    /// requested.
    T get(const std::stop_token& stop, time_span limit = time_span::max()) {
        using enum detail::started_task::waited;
        if (shard::current() != nullptr) [[unlikely]]
            detail::misuse(
                "spawned::get was called on a shard, which it would block: co_await the handle");
        const auto how = present().block(limit, stop);
        if (how != ended) {
            state_->request_stop();
            throw system_error(
                {how == stopped ? errc::cancelled : errc::timed_out, {.doing = activity::task}});
        }
        return state_->take(false);
    }

    /// Asks the task to stop. Any thread, as long as the handle lives; returns at once.
    void request_stop() noexcept { present().request_stop(); }

    class [[nodiscard]] awaiter final : public detail::suspension {
    public:
        explicit awaiter(std::shared_ptr<detail::started_state<T>> state) noexcept
            : state_(std::move(state)), arrived_(*this) {}
        [[nodiscard]] bool await_ready() const noexcept { return state_->completed(); }
        template <class Promise>
        bool await_suspend(std::coroutine_handle<Promise> coroutine) {
            suspend(coroutine, &pass_on);
            if (state_->wait(arrived_, home())) {
                listen();
                return true;
            }
            not_suspended();
            return false;
        }
        T await_resume() { return state_->take(true); }
        [[nodiscard]] where awaits() const noexcept override { return {.doing = activity::join}; }

    private:
        struct arrival : detail::work {
            explicit arrival(awaiter& of_) noexcept : work(&arrive), of(of_) {}
            static void arrive(detail::work& item) noexcept {
                awaiter& self = static_cast<arrival&>(item).of;
                if (self.settle()) self.resume();
            }
            awaiter& of;
        };
        static void pass_on(detail::suspension& self) noexcept {
            static_cast<awaiter&>(self).state_->request_stop();
        }

        std::shared_ptr<detail::started_state<T>> state_;
        arrival arrived_;
    };
    [[nodiscard]] awaiter operator co_await() && noexcept {
        static_cast<void>(present());
        return awaiter{std::move(state_)};
    }

private:
    [[nodiscard]] detail::started_state<T>& present() const noexcept {
        if (!state_) [[unlikely]]
            detail::misuse(
                "the handle of a task was used after it had been awaited or moved from: a handle "
                "is awaited once");
        return *state_;
    }

    std::shared_ptr<detail::started_state<T>> state_;
};

template <class T>
auto engine::spawn_on(unsigned shard, task<T> job, std::stop_token stop) {
    expect_own_process();
    if (shard >= shards()) no_such_shard(shard);
    leat::shard* const here = leat::shard::current();
    if (here == nullptr) start();
    auto state = std::make_shared<detail::started_state<T>>(*this, shard);
    const auto bottom = detail::run_root<T>(*this, std::move(job), state);
    detail::work& first = bottom.start(state->token());
    const bool inside = here != nullptr && &here->engine() == this;
    // Where nothing but handlers runs while the engine stops, the other shard may have ended.
    bool starts = inside && (root_begins() || !stopping());
    if (starts) {
        here->send(shard, first);
    } else if (inside) {
        root_ends();
    } else {
        starts = enter(shard, first);
    }
    if (starts) {
        state->follow(std::move(stop));
    } else {
        bottom.discard();
        state->turn_away();
    }
    return spawned<T>{std::move(state)};
}

template <class T>
T engine::run(task<T> job) {
    expect_may_wait();
    return spawn_on(0, std::move(job)).get();
}

template <class Function>
task<> engine::run_on_each(Function function) {
    const std::stop_token stop = co_await current_stop_token{};
    std::vector<spawned<void>> running;
    running.reserve(shards());
    std::optional<leat::error> first;
    try {
        for (unsigned index = 0; index < shards(); ++index) {
            running.push_back(spawn_on(index, function(index), stop));
        }
    } catch (...) {  // those that run use `function`: they are waited for all the same
        detail::outcome failed;
        failed.set_exception(std::current_exception());
        first = failed.failure();
    }
    for (spawned<void>& one : running) {
        try {
            co_await std::move(one);
        } catch (const leat::system_error& failure) {
            if (!first) first = failure.cause();
        }
    }
    if (first) throw leat::system_error(*first);
}

}  // namespace leat
