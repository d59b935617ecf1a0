// Runs tasks without an engine.
#pragma once

#include <coroutine>
#include <exception>

namespace leat::test {

/// The type of a coroutine that runs a task that never waits to its end, on the calling thread.
struct driver {
    struct promise_type {
        driver get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
};

}  // namespace leat::test
