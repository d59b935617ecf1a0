// Errors of guests' operations with the place where they arose.
#pragma once

#include <leat/engine/error.hpp>

#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

namespace leat {

/// What with_where() gives; a completion token.
template <class Token>
struct with_where_t {
    Token token;
};

/// Makes async_get_chunk, async_get_chunks, async_open and async_read tell where an error arose:
/// the operation, the file's name and number, offset and size.
///
///     std::future<leat::slice> page =
///         leat::async_get_chunk(manager, config, leat::with_where(boost::asio::use_future));
///     leat::async_get_chunk(
///         manager, config, leat::with_where([](const leat::error& failed, leat::slice page) {
///             if (failed.code) std::puts(to_string(failed).c_str());
///         }));
///
/// A function that takes a leat::error in place of the error_code gets that. Other tokens
/// (use_future, use_awaitable, use_task) get a std::exception_ptr of a leat::system_error, which
/// they throw where they would throw the code. It is the outermost token: adapters such as
/// bind_executor go inside. Nothing else changes; without an error it costs nothing but a
/// reference to the cache.
template <class Token>
[[nodiscard]] with_where_t<std::decay_t<Token>> with_where(Token&& token) {
    return {std::forward<Token>(token)};
}

namespace detail {

/// Whether a handler wants a leat::error in place of the error_code.
template <class Handler>
inline constexpr bool takes_where = requires { typename Handler::takes_where; };

/// Whether a token is a function that takes the error itself.
template <class Token, class Value>
inline constexpr bool takes_error = std::invocable<Token&, const error&, Value>;

/// The handler that with_where() puts before another, which takes a leat::error or a
/// std::exception_ptr: As.
template <class Handler, class As>
struct where_handler {
    using takes_where = void;

    template <class Value>
    void operator()(const error& failed, Value&& value) {
        if constexpr (std::is_same_v<As, error>) {
            std::move(inner)(failed, std::forward<Value>(value));
        } else {
            std::move(inner)(failed.code ? thrown(failed) : nullptr, std::forward<Value>(value));
        }
    }
    /// Behind an adapter that knows only of codes.
    template <class Value>
    void operator()(const boost::system::error_code& failed, Value&& value) {
        (*this)(error{failed, {}}, std::forward<Value>(value));
    }
    [[nodiscard]] static std::exception_ptr thrown(const error& failed) noexcept {
        try {
            throw system_error(failed);
        } catch (...) {
            return std::current_exception();
        }
    }

    Handler inner;
};

template <class Initiation, class As>
struct where_initiation {
    template <class Handler, class... Arguments>
    void operator()(Handler&& handler, Arguments&&... arguments) && {
        std::move(initiation)(
            where_handler<std::decay_t<Handler>, As>{std::forward<Handler>(handler)},
            std::forward<Arguments>(arguments)...);
    }
    Initiation initiation;
};

}  // namespace detail
}  // namespace leat

template <class Token, class Value>
class boost::asio::async_result<leat::with_where_t<Token>, void(boost::system::error_code, Value)> {
    using as = std::
        conditional_t<leat::detail::takes_error<Token, Value>, leat::error, std::exception_ptr>;

public:
    template <class Initiation, class Given, class... Arguments>
    static auto initiate(Initiation&& initiation, Given&& given, Arguments&&... arguments) {
        Token token = std::forward<Given>(given).token;
        return async_initiate<Token, void(as, Value)>(
            leat::detail::where_initiation<std::decay_t<Initiation>, as>{
                std::forward<Initiation>(initiation)},
            token, std::forward<Arguments>(arguments)...);
    }
};

template <template <class, class> class Associator, class Handler, class As, class Default>
struct boost::asio::associator<Associator, leat::detail::where_handler<Handler, As>, Default>
    : Associator<Handler, Default> {
    static typename Associator<Handler, Default>::type get(
        const leat::detail::where_handler<Handler, As>& of) noexcept {
        return Associator<Handler, Default>::get(of.inner);
    }
    static auto get(const leat::detail::where_handler<Handler, As>& of,
                    const Default& candidate) noexcept {
        return Associator<Handler, Default>::get(of.inner, candidate);
    }
};
