// What co_await of something gives.
#pragma once

#include <type_traits>
#include <utility>

namespace leat::detail {

/// The awaiter of `awaitable`, as co_await finds it.
template <class Awaitable>
decltype(auto) awaiter_of(Awaitable&& awaitable) {
    if constexpr (requires { std::forward<Awaitable>(awaitable).operator co_await(); }) {
        return std::forward<Awaitable>(awaitable).operator co_await();
    } else if constexpr (requires { operator co_await(std::forward<Awaitable>(awaitable)); }) {
        return operator co_await(std::forward<Awaitable>(awaitable));
    } else {
        return std::forward<Awaitable>(awaitable);
    }
}

/// The type of the value of `co_await std::forward<Awaitable>(awaitable)`.
template <class Awaitable>
using await_result_t =
    std::remove_cvref_t<decltype(awaiter_of(std::declval<Awaitable>()).await_resume())>;

}  // namespace leat::detail
