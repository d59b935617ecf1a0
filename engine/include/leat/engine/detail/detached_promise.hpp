// The promise of a coroutine that nobody awaits.
#pragma once

#include <leat/engine/task.hpp>

#include <coroutine>
#include <exception>

namespace leat::detail {

/// The coroutine is started by whoever holds its handle, frees itself at its end, and lets no
/// exception escape.
struct detached_promise : promise_base {
    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
};

}  // namespace leat::detail
