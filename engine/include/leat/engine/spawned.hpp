// A task that runs on its own on some shard, and the handle to its outcome.
#pragma once

#include <leat/engine/engine.hpp>
#include <leat/engine/suspension.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <variant>

namespace leat {

/// Resumes a coroutine when it is run: the message of those that only move or wait.
struct resumption : work {
    resumption() noexcept : work(&resume) {}
    std::coroutine_handle<> coroutine;

private:
    static void resume(work& item) noexcept { static_cast<resumption&>(item).coroutine.resume(); }
};

/// Resumes the coroutine on shard `target`; at once if it runs there already. What was written
/// before is seen there. Not affected by stop requests: every shard of a stopping engine runs until
/// no task is left.
class resume_on {
public:
    explicit resume_on(unsigned target) noexcept : target_(target) {}
    [[nodiscard]] bool await_ready() const noexcept { return shard::current()->index() == target_; }
    void await_suspend(std::coroutine_handle<> coroutine) noexcept {
        node_.coroutine = coroutine;
        shard::current()->send(target_, node_);
    }
    void await_resume() const noexcept {}

private:
    resumption node_;
    unsigned target_;
};

/// Lets other ready work of this shard go first.
class yield {
public:
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) noexcept {
        node_.coroutine = coroutine;
        shard::current()->schedule(node_);
    }
    void await_resume() const noexcept {}

private:
    resumption node_;
};

namespace detail {

/// The outcome of a task on its way between threads. An exception that is no leat::error crosses
/// from one shard to another as errc::unhandled_exception; a foreign thread gets it as it is.
template <class T>
class outcome_state {
public:
    using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    void set_exception(std::exception_ptr escaped) noexcept {
        try {
            std::rethrow_exception(escaped);
        } catch (const leat::system_error& known) {
            error_ = known.cause();
        } catch (const boost::system::system_error& known) {
            error_ = leat::error{known.code(), {}};
        } catch (const std::bad_alloc&) {
            error_ = leat::error{system_error_code(ENOMEM), {}};
        } catch (...) {
            error_ = leat::error{make_error_code(errc::unhandled_exception), {}};
        }
        error_->where.doing =
            error_->where.doing == activity::none ? activity::task : error_->where.doing;
        exception_ = std::move(escaped);
    }
    template <class... Value>
    void set_value(Value&&... value) {
        value_.emplace(std::forward<Value>(value)...);
    }

    /// The end of the task; makes the outcome visible to whoever takes it (release, acquire).
    void complete() noexcept {
        work* const waiter = waiter_.exchange(&done_, std::memory_order_acq_rel);
        waiter_.notify_all();
        if (waiter != nullptr) shard::current()->send(waiter_shard_, *waiter);
    }
    [[nodiscard]] bool completed() const noexcept {
        return waiter_.load(std::memory_order_acquire) == &done_;
    }
    /// Returns false if it has completed already; otherwise `item` is sent to shard `from` when it
    /// does.
    bool wait(work& item, unsigned from) noexcept {
        waiter_shard_ = from;
        work* expected = nullptr;
        return waiter_.compare_exchange_strong(expected, &item, std::memory_order_acq_rel);
    }
    void block() const noexcept { waiter_.wait(nullptr, std::memory_order_acquire); }

    T take(bool on_shard) {
        if (error_) {
            if (on_shard) throw leat::system_error(*error_);
            std::rethrow_exception(std::move(exception_));
        }
        if constexpr (!std::is_void_v<T>) return std::move(*value_);
    }
    /// For an outcome nobody takes.
    [[nodiscard]] const std::optional<leat::error>& failure() const noexcept { return error_; }

private:
    std::atomic<work*> waiter_{nullptr};
    unsigned waiter_shard_ = 0;
    std::optional<value_type> value_;
    std::optional<leat::error> error_;
    std::exception_ptr exception_;
    inline static work done_{};
};

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
            std::coroutine_handle<promise_type>::from_promise(self).resume();
        }
    };
    [[nodiscard]] work& start() const noexcept { return promise_; }

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
    if (state.use_count() == 1 && state->failure()) {
        owner.report(event::level::warning,
                     "a task ended by an error: " + to_string(*state->failure()));
    }
    state->complete();
    state.reset();
    owner.root_ends();
}

}  // namespace detail

/// A task that has been started. Await it once on a shard (any), or get() it on a foreign thread;
/// if neither, it runs on by itself, and an error that ends it goes to engine_options::on_event.
template <class T>
class spawned {
public:
    explicit spawned(std::shared_ptr<detail::outcome_state<T>> state) noexcept
        : state_(std::move(state)) {}

    /// Waits for the end; blocks the thread. Not on a shard.
    T get() {
        assert(shard::current() == nullptr);
        while (!state_->completed()) state_->block();
        return state_->take(false);
    }

    class awaiter {
    public:
        explicit awaiter(std::shared_ptr<detail::outcome_state<T>> state) noexcept
            : state_(std::move(state)) {}
        [[nodiscard]] bool await_ready() const noexcept { return state_->completed(); }
        bool await_suspend(std::coroutine_handle<> coroutine) noexcept {
            node_.coroutine = coroutine;
            return state_->wait(node_, this_shard().index());
        }
        T await_resume() { return state_->take(true); }

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
    leat::shard* const here = leat::shard::current();
    const bool inside = here != nullptr && &here->owner() == this;
    if (here == nullptr) start();
    auto state = std::make_shared<detail::outcome_state<T>>();
    root_begins();
    if (!inside && stopping()) {
        root_ends();
        state->set_exception(
            std::make_exception_ptr(system_error({errc::stopped, {.doing = activity::task}})));
        state->complete();
        return spawned<T>{std::move(state)};
    }
    detail::root bottom = detail::run_root<T>(*this, std::move(job), state);
    if (inside) {
        here->send(shard, bottom.start());
    } else {
        at(shard).send_from_outside(bottom.start());
    }
    return spawned<T>{std::move(state)};
}

template <class T>
T engine::run(task<T> job) {
    return spawn_on(0, std::move(job)).get();
}

template <class Function>
task<> engine::run_on_each(Function function) {
    std::vector<spawned<void>> running;
    running.reserve(shards());
    for (unsigned index = 0; index < shards(); ++index) {
        running.push_back(spawn_on(index, function(index)));
    }
    std::optional<leat::error> first;
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
