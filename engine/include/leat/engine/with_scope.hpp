// A scope that is joined whatever happens.
#pragma once

#include <leat/engine/scope.hpp>
#include <leat/engine/task.hpp>

#include <exception>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <variant>

namespace leat {

namespace detail {

template <class Task>
struct task_value;
template <class T>
struct task_value<task<T>> {
    using type = T;
};
template <class Function>
using scope_value = typename task_value<std::invoke_result_t<Function&, scope&>>::type;

/// The body is a job of `whole`, whose join passes stop requests on; what it spawns is in a scope
/// of its own, so that it may join that, too. Each scope tells the other what it has to know.
template <class Function, class Value>
task<> run_with_scope(Function& function, std::optional<Value>& value, scope& whole) {
    scope inner;
    const std::stop_callback down{whole.stop_token(), [&inner] { inner.request_stop(); }};
    const std::stop_callback up{inner.stop_token(), [&inner, &whole] {
                                    if (inner.failed()) whole.request_stop();
                                }};
    std::exception_ptr first;
    try {
        if constexpr (std::is_void_v<scope_value<Function>>) {
            co_await function(inner);
            value.emplace();
        } else {
            value.emplace(co_await function(inner));
        }
    } catch (...) {
        if (!inner.failed()) first = std::current_exception();
        inner.request_stop();
    }
    try {
        co_await inner.join();
    } catch (...) {
        if (!first) first = std::current_exception();
    }
    if (first) std::rethrow_exception(std::move(first));
}

}  // namespace detail

/// Calls function(scope), which gives a task, awaits that, and then waits for all that was spawned
/// into the scope, however the task ended. Gives its value.
///
///     auto both = [&](leat::scope& readers) -> leat::task<> {
///         readers.spawn(fetch(manager, "a"));
///         co_await fetch(manager, "b");  // if it throws, "a" is stopped and waited for
///     };
///     co_await leat::with_scope(both);
///
/// Errors: an exception of the task asks what was spawned to stop, and is thrown when all have
/// ended; an error of what was spawned asks the others and the task to stop, and is thrown then. Of
/// several the first is thrown, and the others are dropped.
///
/// Cancellation: a stop request of the enclosing task reaches the task and what was spawned.
///
/// Threads: all of it begins on the shard that awaits it, and the scope is used there.
///
/// Lifetime: `function` is kept until the end, so that a lambda may capture by reference what its
/// caller has. The task may join the scope itself, and spawn again.
template <class Function>
task<detail::scope_value<Function>> with_scope(Function function) {
    using value_type = detail::scope_value<Function>;
    using held_type = std::conditional_t<std::is_void_v<value_type>, std::monostate, value_type>;
    const char* const name = co_await detail::current_name{};
    std::optional<held_type> value;
    scope whole;
    whole.spawn_made([&] {
        task<> body = detail::run_with_scope(function, value, whole);
        body.set_name(name);
        return body;
    });
    co_await whole.join();
    if constexpr (!std::is_void_v<value_type>) co_return std::move(*value);
}

}  // namespace leat
