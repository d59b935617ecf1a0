// How the arguments of a completion handler come out of co_await.
#pragma once

#include <leat/engine/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel_error.hpp>

#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

namespace leat::detail {

/// Whether `code` is how Asio says that somebody cancelled the operation.
[[nodiscard]] inline bool says_cancelled(const boost::system::error_code& code) {
    return code == boost::asio::error::operation_aborted ||
           code == boost::asio::experimental::error::channel_cancelled;
}

/// Throws `code`; as `stopped` if the enclosing task's stop request brought it about (errc{}: there
/// was none).
inline void throw_code(const boost::system::error_code& code, errc stopped) {
    if (stopped != errc{} && says_cancelled(code)) throw system_error({stopped, {}});
    if (code.category() == error_category()) throw system_error({code, {}});
    throw boost::system::system_error(code);
}

inline void throw_exception(const std::exception_ptr& thrown, errc stopped) {
    if (stopped == errc{}) std::rethrow_exception(thrown);
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& failure) {
        if (!says_cancelled(failure.code())) throw;
    }
    throw system_error({stopped, {}});
}

/// The handler was destroyed uncalled.
[[noreturn]] inline void throw_dropped(errc stopped) {
    throw system_error({stopped == errc{} ? errc::cancelled : stopped, {}});
}

/// Nothing for no value, the value for one, a tuple for several.
template <class... Values>
struct task_values {
    [[nodiscard]] static std::tuple<Values...> of(std::tuple<Values...>&& all) {
        return std::move(all);
    }
};
template <class Value>
struct task_values<Value> {
    [[nodiscard]] static Value of(std::tuple<Value>&& all) { return std::get<0>(std::move(all)); }
};
template <>
struct task_values<> {
    static void of(std::tuple<>&&) noexcept {}
};

template <class... Arguments>
struct task_result {
    static auto take(std::tuple<std::decay_t<Arguments>...>&& all, errc) {
        return task_values<std::decay_t<Arguments>...>::of(std::move(all));
    }
};

/// A first argument that says whether the operation failed is thrown, and is no value.
template <class First, class... Rest>
    requires std::is_same_v<std::decay_t<First>, boost::system::error_code> ||
             std::is_same_v<std::decay_t<First>, std::exception_ptr>
struct task_result<First, Rest...> {
    static auto take(std::tuple<std::decay_t<First>, std::decay_t<Rest>...>&& all, errc stopped) {
        const auto& first = std::get<0>(all);
        if constexpr (std::is_same_v<std::decay_t<First>, std::exception_ptr>) {
            if (first) throw_exception(first, stopped);
        } else {
            if (first) throw_code(first, stopped);
        }
        return std::apply(
            [](auto&, auto&... rest) {
                return task_values<std::decay_t<Rest>...>::of(
                    std::tuple<std::decay_t<Rest>...>(std::move(rest)...));
            },
            all);
    }
};

}  // namespace leat::detail
