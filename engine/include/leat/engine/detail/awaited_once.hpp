// What makes an operation awaitable as an rvalue only, and once.
#pragma once

#include <leat/io/detail/misuse.hpp>

#include <coroutine>
#include <utility>

namespace leat::detail {

/// misuse(): an operation is awaited a second time, or after it was moved from.
[[noreturn, gnu::cold]] inline void awaited_again() noexcept {
    misuse(
        "an operation was awaited that had been awaited before or moved from: each is awaited once,"
        " make another");
}

/// The base of an awaitable that is its own awaiter: `co_await operation()` and `co_await
/// std::move(named)` compile, `co_await named` does not, and what was awaited or moved from is not
/// awaited again.
template <class Operation>
class awaited_once {
public:
    // By value: GCC 12 copies what an operator co_await returns by reference.
    class [[nodiscard]] awaiter {
    public:
        explicit awaiter(Operation& operation) noexcept : operation_(operation) {}
        [[nodiscard]] bool await_ready() { return operation_.await_ready(); }
        template <class Promise>
        auto await_suspend(std::coroutine_handle<Promise> coroutine) {
            return operation_.await_suspend(coroutine);
        }
        decltype(auto) await_resume() { return operation_.await_resume(); }

    private:
        Operation& operation_;
    };

    awaiter operator co_await() && noexcept {
        if (std::exchange(spent_, true)) [[unlikely]]
            awaited_again();
        return awaiter{static_cast<Operation&>(*this)};
    }
    void operator co_await() const& = delete;  // an operation is awaited as an rvalue

protected:
    awaited_once() = default;
    awaited_once(awaited_once&& other) noexcept : spent_(std::exchange(other.spent_, true)) {}
    ~awaited_once() = default;

private:
    bool spent_ = false;
};

}  // namespace leat::detail
