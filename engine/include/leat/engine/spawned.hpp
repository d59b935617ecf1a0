// A task that runs on its own on some shard, and the handle to its outcome.
#pragma once

#include <leat/engine/detail/started_task.hpp>
#include <leat/engine/engine.hpp>
#include <leat/engine/suspension.hpp>
#include <leat/io/detail/misuse.hpp>
#include <leat/io/time_span.hpp>

#include <memory>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

namespace leat {

/// Resumes a coroutine when it is run: the message of those that only move or wait.
struct resumption : work {
    resumption() noexcept : work(&resume) {}
    std::coroutine_handle<> coroutine;

private:
    static void resume(work& item) noexcept {
        this_shard().resume(static_cast<resumption&>(item).coroutine);
    }
};

/// Resumes the coroutine on shard `target`; at once if it runs there already. What was written
/// before is seen there. Not affected by stop requests: every shard of a stopping engine runs until
/// no task is left. Throws errc::invalid_option if there is no such shard.
class [[nodiscard]] resume_on : public detail::awaited_once<resume_on> {
public:
    [[nodiscard]] explicit resume_on(unsigned target) noexcept : target_(target) {}
    [[nodiscard]] bool await_ready() const noexcept { return this_shard().index() == target_; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        node_.coroutine = coroutine;
        shard& here = this_shard();
        here.send(here.owner().at(target_).index(), node_);
    }
    void await_resume() const noexcept {}

private:
    resumption node_;
    unsigned target_;
};

/// Lets other ready work of this shard go first.
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

namespace detail {

/// The coroutine at the bottom of a task tree: starts on a shard by its own work item and frees
/// itself.
class root {
public:
    struct promise_type : promise_base, work {
        promise_type() noexcept : work(&begin) {}
        root get_return_object() noexcept { return root{*this}; }
        std::suspend_always initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
        static void begin(work& item) noexcept {
            auto& self = static_cast<promise_type&>(item);
            this_shard().resume(std::coroutine_handle<promise_type>::from_promise(self));
        }
    };
    /// `token` is the task's and must outlive it.
    [[nodiscard]] work& start(const std::stop_token& token) const noexcept {
        promise_.stop = &token;
        return promise_;
    }
    /// Frees one that is never to start, and its job.
    void discard() const noexcept {
        std::coroutine_handle<promise_type>::from_promise(promise_).destroy();
    }

private:
    explicit root(promise_type& promise) noexcept : promise_(promise) {}
    promise_type& promise_;
};

template <class T>
root run_root(engine& owner, task<T> job, std::shared_ptr<started_state<T>> state) {
    state->begin();
    {
        task<T> running = std::move(job);
        try {
            if constexpr (std::is_void_v<T>) {
                co_await std::move(running);
                state->set_value();
            } else {
                state->set_value(co_await std::move(running));
            }
        } catch (...) {
            state->set_exception(std::current_exception());
        }
    }
    owner.expect_own_process();  // a task that forked ends in the child, too
    co_await state->ended();
    owner.root_ends();  // this shard does not end before its turn does
    state->complete();
}

}  // namespace detail

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
    ///     auto answer = engine.spawn_on(0, ask(manager));
    ///     try { use(answer.get(2s)); } catch (const leat::system_error&) { ... }
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

    class [[nodiscard]] awaiter final : public suspension {
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
        struct arrival : work {
            explicit arrival(awaiter& of_) noexcept : work(&arrive), of(of_) {}
            static void arrive(work& item) noexcept {
                awaiter& self = static_cast<arrival&>(item).of;
                if (self.settle()) self.resume();
            }
            awaiter& of;
        };
        static void pass_on(suspension& self) noexcept {
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
                "the handle of a task was used that had been awaited or moved from: it is awaited"
                " once, by its owner");
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
    const detail::root bottom = detail::run_root<T>(*this, std::move(job), state);
    work& first = bottom.start(state->token());
    const bool inside = here != nullptr && &here->owner() == this;
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
