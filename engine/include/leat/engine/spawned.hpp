// A task that runs on its own on some shard, and the handle to its outcome.
#pragma once

#include <leat/engine/engine.hpp>
#include <leat/engine/outcome.hpp>
#include <leat/engine/suspension.hpp>

#include <memory>
#include <optional>

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
            self.stop = &this_shard().stop_token();
            this_shard().resume(std::coroutine_handle<promise_type>::from_promise(self));
        }
    };
    [[nodiscard]] work& start() const noexcept { return promise_; }
    /// Frees one that is never to start, and its job.
    void discard() const noexcept {
        std::coroutine_handle<promise_type>::from_promise(promise_).destroy();
    }

private:
    explicit root(promise_type& promise) noexcept : promise_(promise) {}
    promise_type& promise_;
};

template <class T>
root run_root(engine& owner, task<T> job, std::shared_ptr<outcome_state<T>> state) {
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
    // What ends by the engine's stop is no news.
    if (state.use_count() == 1 && state->failure() && !owner.stopping()) {
        try {
            owner.report(event::level::warning,
                         "a task ended by an error: " + to_string(*state->failure()));
        } catch (...) {  // no memory for the sentence
        }
    }
    owner.leave(*state);
    state->complete();
    state.reset();
    owner.root_ends();
}

}  // namespace detail

/// A task that has been started. Await it once on a shard (any), or get() it on a foreign thread;
/// without a handle it runs on by itself, and an error that ends it goes to
/// engine_options::on_event.
template <class T>
class spawned {
public:
    explicit spawned(std::shared_ptr<detail::outcome_state<T>> state) noexcept
        : state_(std::move(state)) {}

    /// Waits for the end; blocks the thread. Not on a shard. Throws errc::timed_out if the engine
    /// ended and had to give the task up.
    T get() {
        assert(shard::current() == nullptr);
        state_->block();
        return state_->take(false);
    }

    class [[nodiscard]] awaiter final : public detail::listed_wait {
    public:
        explicit awaiter(std::shared_ptr<detail::outcome_state<T>> state) noexcept
            : state_(std::move(state)) {}
        [[nodiscard]] bool await_ready() const noexcept { return state_->completed(); }
        template <class Promise>
        bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
            node_.coroutine = coroutine;
            this_shard().list_wait(*this, name_of(coroutine));
            return state_->wait(node_, this_shard());
        }
        T await_resume() {
            this->leave_list();
            return state_->take(true);
        }
        [[nodiscard]] where awaits() const noexcept override { return {.doing = activity::join}; }

    private:
        std::shared_ptr<detail::outcome_state<T>> state_;
        resumption node_;
    };
    [[nodiscard]] awaiter operator co_await() && noexcept { return awaiter{std::move(state_)}; }

private:
    std::shared_ptr<detail::outcome_state<T>> state_;
};

template <class T>
auto engine::spawn_on(unsigned shard, task<T> job) {
    expect_own_process();
    if (shard >= shards()) no_such_shard(shard);
    leat::shard* const here = leat::shard::current();
    if (here == nullptr) start();
    auto state = std::make_shared<detail::outcome_state<T>>();
    const detail::root bottom = detail::run_root<T>(*this, std::move(job), state);
    const bool inside = here != nullptr && &here->owner() == this;
    // Where nothing but handlers runs while the engine stops, the other shard may have ended.
    bool starts = inside && (root_begins() || !stopping());
    if (starts) {
        here->send(shard, bottom.start());
    } else if (inside) {
        root_ends();
    } else {
        starts = enter(shard, bottom.start(), *state);
    }
    if (!starts) {
        bottom.discard();
        state->set_exception(
            std::make_exception_ptr(system_error({errc::stopped, {.doing = activity::task}})));
        state->complete();
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
    std::vector<spawned<void>> running;
    running.reserve(shards());
    std::optional<leat::error> first;
    try {
        for (unsigned index = 0; index < shards(); ++index) {
            running.push_back(spawn_on(index, function(index)));
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
