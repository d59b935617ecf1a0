// Structured concurrency: tasks that run side by side and end before their scope does.
#pragma once

#include <leat/engine/detail/awaited_once.hpp>
#include <leat/engine/detail/detached_promise.hpp>
#include <leat/engine/resumption.hpp>
#include <leat/engine/spawned.hpp>
#include <leat/io/detail/lifetimebound.hpp>
#include <leat/io/detail/misuse.hpp>

#include <exception>
#include <stop_token>
#include <tuple>
#include <vector>

namespace leat {

/// A set of tasks that run side by side on the shard that made it, and end before it does.
///
///     leat::scope both;
///     both.spawn(fetch(manager, "a"));
///     both.spawn(fetch(manager, "b"));
///     co_await both.join();
///
/// Threads: it is made, used and destroyed on one shard, where its jobs begin; a job may move to
/// another shard.
///
/// Lifetime: what was spawned must be joined before the scope is destroyed, also where an exception
/// leaves the function: with_scope() joins whatever happens. So what a job refers to may lie in
/// the function that made the scope, before it.
///
/// Cancellation: request_stop() asks the jobs to stop, and so does a stop request of the task that
/// joins, from the join() on. Each job inherits the scope's token, and not that of the task that
/// spawned it.
///
/// Errors: the first job that throws asks the others to stop, and join() throws what it threw when
/// all have ended. What others throw meanwhile is dropped.
///
/// Programmer's errors, which end the program with a sentence: to make or use it on another shard,
/// or on none; to destroy it unjoined; to join it twice at once, or from one of its own jobs.
class scope {
public:
    scope() : home_(this_shard()) {}
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    ~scope() {
        if (unjoined_) [[unlikely]] {
            detail::misuse(
                "a scope was destroyed before it was joined, perhaps by an exception: co_await its"
                " join() on every way out, or use with_scope");
        }
    }

    /// Starts `job`, which is resumed from the ready queue, not from inside this call. Allocates a
    /// frame; throws std::bad_alloc, and then the job does not run.
    void spawn(task<> job) {
        check_shard();
        child(*this, std::move(job)).start(token_);
        ++running_;
        unjoined_ = true;
    }
    /// Starts the task that make() gives. What make() throws, or want of memory, is the scope's
    /// error, as if a job had thrown it: so that those that run already are still joined.
    template <class Make>
    void spawn_made(Make make) noexcept {
        try {
            spawn(make());
        } catch (...) {
            unjoined_ = true;
            fail(std::current_exception());
        }
    }
    /// Asks the jobs to stop, those that are spawned later, too. Join them all the same.
    void request_stop() noexcept {
        check_shard();
        source_.request_stop();
    }
    [[nodiscard]] const std::stop_token& stop_token() const noexcept { return token_; }
    [[nodiscard]] std::size_t running() const noexcept { return running_; }
    [[nodiscard]] bool failed() const noexcept { return error_ != nullptr; }

    class joined;
    /// Waits until every job has ended, also those spawned meanwhile, and throws the first error.
    /// It does not suspend if all have ended. What the jobs wrote is seen. More may be spawned
    /// afterwards and joined again, but a scope that was asked to stop stays so.
    [[nodiscard]] joined join() noexcept LEAT_LIFETIMEBOUND;

private:
    class runner {
    public:
        struct promise_type : detail::detached_promise {
            promise_type() = default;
            runner get_return_object() noexcept {
                return runner{std::coroutine_handle<promise_type>::from_promise(*this)};
            }
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
        if (escaped) owner.fail(std::move(escaped));
        owner.ended();
    }
    void fail(std::exception_ptr escaped) noexcept {
        if (error_) return;
        error_ = std::move(escaped);
        source_.request_stop();
    }
    void ended() noexcept;
    void check_shard() const noexcept {
        if (shard::current() != &home_) [[unlikely]] {
            detail::misuse(
                "a scope was used on another shard than the one that made it: co_await resume_on() "
                "that one first, or make the scope after the move");
        }
    }

    shard& home_;
    std::size_t running_ = 0;
    bool unjoined_ = false;  // something was spawned since the last join
    joined* waiter_ = nullptr;
    std::exception_ptr error_;
    std::stop_source source_;
    std::stop_token token_ = source_.get_token();
};

/// What scope::join() gives.
class [[nodiscard]] scope::joined final : public detail::awaited_once<joined>,
                                          public detail::suspension {
public:
    explicit joined(scope& owner) noexcept : owner_(owner) {}
    joined(joined&& other) noexcept : awaited_once(std::move(other)), owner_(other.owner_) {}
    [[nodiscard]] bool await_ready() const noexcept {
        owner_.check_shard();
        return owner_.running_ == 0;
    }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
        const std::stop_token* const token = stop_of(coroutine);
        if (token == &owner_.token_) [[unlikely]] {
            detail::misuse(
                "a scope was joined by one of its own jobs, which would wait for itself: join it"
                " where it was made");
        }
        if (owner_.waiter_ != nullptr) [[unlikely]] {
            detail::misuse(
                "a scope was joined by two coroutines at once: let one join it and tell the other");
        }
        owner_.waiter_ = this;
        suspend(coroutine, &pass_on);
        listen();
    }
    [[nodiscard]] where awaits() const noexcept override { return {.doing = activity::join}; }
    void await_resume() const {
        owner_.unjoined_ = false;
        if (owner_.error_) std::rethrow_exception(std::exchange(owner_.error_, nullptr));
    }

private:
    static void pass_on(detail::suspension& self) noexcept {
        static_cast<joined&>(self).owner_.source_.request_stop();
    }
    scope& owner_;
};

inline scope::joined scope::join() noexcept {
    return joined{*this};
}

inline void scope::ended() noexcept {
    if (--running_ == 0 && waiter_ != nullptr) std::exchange(waiter_, nullptr)->finish();
}

namespace detail {
template <class T>
task<> store(task<T> job, std::optional<T>& result) {
    result.emplace(co_await std::move(job));
}
}  // namespace detail

/// Runs tasks side by side on this shard, and gives their values as a tuple when all have ended.
///
///     auto both = co_await leat::when_all(page_of(manager, file), page_of(manager, file));
///     use(std::get<0>(both) + std::get<1>(both));
///
/// Errors: the first one asks the others to stop, and is thrown when all have ended. Cancellation:
/// a stop request of the enclosing task reaches them all.
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

/// As above, for tasks without values.
inline task<> when_all(std::vector<task<>> jobs) {
    scope all;
    for (task<>& job : jobs) all.spawn_made([&job] { return std::move(job); });
    co_await all.join();
}

}  // namespace leat
