// The first of several tasks to end.
#pragma once

#include <leat/engine/scope.hpp>
#include <leat/engine/task.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace leat {

/// What when_any gives: which task ended first, and its value.
template <class Value>
struct first_of {
    std::size_t index;
    Value value;
};

namespace detail {

/// The outcome of a race, and the scope in which it is run.
template <class Value>
class race {
public:
    explicit race(const char* name) noexcept : name_(name) {}

    /// Starts a task; make(its value) gives the race's.
    template <class T, class Make>
    void enter(std::size_t index, task<T> job, Make make) noexcept {
        runners_.spawn_made([&] {
            task<> runner = run(*this, index, std::move(job), make);
            runner.set_name(name_);
            return runner;
        });
    }
    [[nodiscard]] auto joined() noexcept { return runners_.join(); }
    [[nodiscard]] first_of<Value> take() {
        if (error_) std::rethrow_exception(std::move(error_));
        return {index_, std::move(*value_)};
    }

private:
    template <class T, class Make>
    static task<> run(race& of, std::size_t index, task<T> job, Make make) {
        std::optional<Value> value;
        std::exception_ptr error;
        {
            task<T> running = std::move(job);
            try {
                if constexpr (std::is_void_v<T>) {
                    co_await std::move(running);
                    value.emplace(make());
                } else {
                    value.emplace(make(co_await std::move(running)));
                }
            } catch (...) {
                error = std::current_exception();
            }
        }
        of.finish(index, std::move(value), std::move(error));
    }
    void finish(std::size_t index, std::optional<Value> value, std::exception_ptr error) {
        if (ended_) return;
        ended_ = true;
        index_ = index;
        value_ = std::move(value);
        error_ = std::move(error);
        runners_.request_stop();
    }

    const char* name_;
    bool ended_ = false;
    std::size_t index_ = 0;
    std::optional<Value> value_;
    std::exception_ptr error_;
    scope runners_;
};

template <class T>
using value_or_monostate = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

}  // namespace detail

/// Runs the tasks side by side on this shard, and gives the index and the value of the one that
/// ends first: `value` is a variant with one alternative for each task, std::monostate for a
/// task<>, and holds the one of that index. What the first one throws is thrown.
///
/// Completion: when all have ended. The others are asked to stop by their token as soon as the
/// first has ended, and are waited for; what they give or throw is dropped. Of two that end in the
/// same turn the first to be resumed wins.
///
/// Cancellation: a stop request of the enclosing task reaches them all; the first that ends by it
/// throws errc::cancelled or errc::stopped. Allocates a frame a task. Errors: std::bad_alloc, too.
///
///     auto first = co_await leat::when_any(page_of(manager, file), fetch(manager, "other"));
///     if (first.index == 0) use(std::get<0>(first.value));
template <class... T>
    requires(sizeof...(T) > 0)
task<first_of<std::variant<detail::value_or_monostate<T>...>>> when_any(task<T>... jobs) {
    using value_type = std::variant<detail::value_or_monostate<T>...>;
    const char* const name = co_await detail::current_name{};
    detail::race<value_type> all{name};
    auto enter_each = [&]<std::size_t... I>(std::index_sequence<I...>) {
        (all.enter(I, std::move(jobs),
                   [](auto&&... value) {
                       return value_type(std::in_place_index<I>,
                                         std::forward<decltype(value)>(value)...);
                   }),
         ...);
    };
    enter_each(std::index_sequence_for<T...>{});
    co_await all.joined();
    co_return all.take();
}

/// As above, for a number known at run time; `value` is the value itself. Throws
/// errc::invalid_option if there are none.
template <class T>
    requires(!std::is_void_v<T>)
task<first_of<T>> when_any(std::vector<task<T>> jobs) {
    if (jobs.empty()) throw system_error({errc::invalid_option, {.doing = activity::join}});
    const char* const name = co_await detail::current_name{};
    detail::race<T> all{name};
    for (std::size_t index = 0; index < jobs.size(); ++index)
        all.enter(index, std::move(jobs[index]), [](T value) { return value; });
    co_await all.joined();
    co_return all.take();
}

/// As above, for tasks without values: the index.
inline task<std::size_t> when_any(std::vector<task<>> jobs) {
    if (jobs.empty()) throw system_error({errc::invalid_option, {.doing = activity::join}});
    const char* const name = co_await detail::current_name{};
    detail::race<std::monostate> all{name};
    for (std::size_t index = 0; index < jobs.size(); ++index)
        all.enter(index, std::move(jobs[index]), [] { return std::monostate{}; });
    co_await all.joined();
    co_return all.take().index;
}

}  // namespace leat
