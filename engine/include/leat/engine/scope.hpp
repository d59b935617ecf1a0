// Structured concurrency: tasks that run side by side and end before their scope does.
#pragma once

#include <leat/engine/spawned.hpp>

#include <exception>
#include <stop_token>
#include <tuple>
#include <vector>

namespace leat {

/// A set of tasks on one shard. Every task spawned into it must have ended, by `co_await join()`,
/// before it is destroyed. The first error asks the others to stop and comes out of join(); so does
/// a stop request of the enclosing task, which `join` passes on. Used on the shard that made it;
/// jobs may end on another.
class scope {
public:
    scope() = default;
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    ~scope() { assert(running_ == 0 && "a scope must be joined before it is destroyed"); }

    /// Starts `job` on this shard, from the ready queue.
    void spawn(task<> job) {
        child(*this, std::move(job)).start(token_);
        ++running_;
    }
    /// Starts the task that make() gives. What make() throws, or want of memory, is the scope's
    /// error, as if a job had thrown it: so that those that run already are still joined.
    template <class Make>
    void spawn_made(Make make) noexcept {
        try {
            spawn(make());
        } catch (...) {
            fail(std::current_exception());
        }
    }
    void request_stop() noexcept { source_.request_stop(); }
    [[nodiscard]] const std::stop_token& stop_token() const noexcept { return token_; }
    [[nodiscard]] std::size_t running() const noexcept { return running_; }
    [[nodiscard]] bool failed() const noexcept { return error_ != nullptr; }

    /// Waits until every task has ended; rethrows the first error.
    class joined final : public suspension {
    public:
        explicit joined(scope& owner) noexcept : owner_(owner) {}
        [[nodiscard]] bool await_ready() const noexcept { return owner_.running_ == 0; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> coroutine) {
            owner_.waiter_ = this;
            suspend(coroutine, &pass_on);
            listen();
        }
        void await_resume() const {
            if (owner_.error_) std::rethrow_exception(std::exchange(owner_.error_, nullptr));
        }

        [[nodiscard]] where awaits() const noexcept override { return {.doing = activity::join}; }

    private:
        static void pass_on(suspension& self) noexcept {
            static_cast<joined&>(self).owner_.request_stop();
        }
        scope& owner_;
    };
    [[nodiscard]] joined join() noexcept { return joined{*this}; }

private:
    class runner {
    public:
        struct promise_type : promise_base {
            promise_type() = default;
            runner get_return_object() noexcept {
                return runner{std::coroutine_handle<promise_type>::from_promise(*this)};
            }
            std::suspend_always initial_suspend() const noexcept { return {}; }
            std::suspend_never final_suspend() const noexcept { return {}; }
            void return_void() const noexcept {}
            [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
            resumption begin;
        };
        explicit runner(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
        void start(const std::stop_token& token) const noexcept {
            promise_type& promise = handle_.promise();
            promise.stop = &token;
            promise.begin.coroutine = handle_;
            this_shard().schedule(promise.begin);
        }

    private:
        std::coroutine_handle<promise_type> handle_;
    };

    static runner child(scope& owner, task<> job) {
        std::exception_ptr escaped;
        {
            task<> running = std::move(job);
            try {
                co_await std::move(running);
            } catch (...) {
                escaped = std::current_exception();
            }
        }
        co_await resume_on(owner.home_);  // the job may have moved
        if (escaped) owner.fail(std::move(escaped));
        owner.ended();
    }
    void fail(std::exception_ptr escaped) noexcept {
        if (error_) return;
        error_ = std::move(escaped);
        request_stop();
    }
    void ended() noexcept {
        if (--running_ == 0 && waiter_ != nullptr) std::exchange(waiter_, nullptr)->finish();
    }

    const unsigned home_ = this_shard().index();
    std::size_t running_ = 0;
    joined* waiter_ = nullptr;
    std::exception_ptr error_;
    std::stop_source source_;
    std::stop_token token_ = source_.get_token();
};

namespace detail {
template <class T>
task<> store(task<T> job, std::optional<T>& result) {
    result.emplace(co_await std::move(job));
}
}  // namespace detail

/// Runs the tasks side by side on this shard and returns their values as a tuple; the first error
/// stops the others and is thrown once all have ended.
template <class... T>
    requires(sizeof...(T) > 0 && !(std::is_void_v<T> || ...))
task<std::tuple<T...>> when_all(task<T>... jobs) {
    scope all;
    std::tuple<std::optional<T>...> results;
    auto spawn_each = [&]<std::size_t... I>(std::index_sequence<I...>) {
        (all.spawn_made([&] { return detail::store(std::move(jobs), std::get<I>(results)); }), ...);
    };
    spawn_each(std::index_sequence_for<T...>{});
    co_await all.join();
    co_return std::apply([](auto&... value) { return std::tuple<T...>(std::move(*value)...); },
                         results);
}

/// As when_all, for tasks without values.
template <class... Void>
    requires(sizeof...(Void) > 0 && (std::is_void_v<Void> && ...))
task<> when_all(task<Void>... jobs) {
    scope all;
    auto spawn_one = [&all](task<>& job) { all.spawn_made([&job] { return std::move(job); }); };
    (spawn_one(jobs), ...);
    co_await all.join();
}

/// As when_all, for a number known at run time; the values in order.
template <class T>
task<std::vector<T>> when_all(std::vector<task<T>> jobs) {
    scope all;
    std::vector<std::optional<T>> results(jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i)
        all.spawn_made([&] { return detail::store(std::move(jobs[i]), results[i]); });
    co_await all.join();
    std::vector<T> values;
    values.reserve(results.size());
    for (std::optional<T>& value : results) values.push_back(std::move(*value));
    co_return values;
}

inline task<> when_all(std::vector<task<>> jobs) {
    scope all;
    for (task<>& job : jobs) all.spawn_made([&job] { return std::move(job); });
    co_await all.join();
}

namespace detail {
template <class Iterator, class Sentinel, class Function>
task<> for_each_worker(Iterator& next, const Sentinel& end, Function& function, scope& all) {
    const unsigned home = this_shard().index();
    while (next != end && !all.stop_token().stop_requested()) {
        auto&& item = *next;
        ++next;
        co_await function(item);
        co_await resume_on(home);  // the call may have moved; `next` is this shard's
    }
}
}  // namespace detail

/// Calls function(element), which gives a task<>, for each element of `range`, at most `limit` at
/// once (at least 1), on this shard. The first error stops the rest and is thrown once all have
/// ended; a stop request of the enclosing task ends it with errc::cancelled or errc::stopped.
/// `range` must outlive the call.
template <class Range, class Function>
task<> for_each(Range& range, std::size_t limit, Function function) {
    assert(limit > 0);
    scope all;
    auto next = std::begin(range);
    const auto end = std::end(range);
    std::size_t workers = 0;
    for (auto one = next; one != end && workers < limit && !all.failed(); ++one, ++workers) {
        all.spawn_made([&] { return detail::for_each_worker(next, end, function, all); });
    }
    co_await all.join();
    if (next != end)
        throw system_error({this_shard().stopping() ? errc::stopped : errc::cancelled, {}});
}

}  // namespace leat
