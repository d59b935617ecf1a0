// What a connected and a listening socket have in common: options and addresses.
#pragma once

#include <leat/engine/error.hpp>
#include <leat/io/error.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/system_error.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace leat::detail {

inline void throw_if(const boost::system::error_code& code, const char* what) {
    if (code) throw boost::system::system_error(code, what);
}

/// The error of a system call that returned `result`.
[[nodiscard]] inline boost::system::error_code error_of_call(int result) noexcept {
    if (result >= 0) return {};
    return system_error_code(errno);
}

/// The error that an operation's result stands for: 0 or more is none, else it is a negated errno.
[[nodiscard]] inline boost::system::error_code error_of_result(int result) noexcept {
    if (result >= 0) return {};
    return system_error_code(-result);
}

/// What a task waits for on a socket.
[[nodiscard]] inline where on_socket(const char* operation) noexcept {
    where at{.doing = activity::socket};
    at.set_name(operation);
    return at;
}

/// A new socket of the family; -1 with errno set if there is none to be had.
[[nodiscard]] inline int make_socket(const boost::asio::ip::tcp& protocol) noexcept {
    return ::socket(protocol.family(), protocol.type() | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    protocol.protocol());
}

[[nodiscard]] inline boost::system::error_code bind_to(
    int descriptor, const boost::asio::ip::tcp::endpoint& endpoint) noexcept {
    return error_of_call(
        ::bind(descriptor, endpoint.data(), static_cast<socklen_t>(endpoint.size())));
}

/// `call` is getsockname or getpeername.
[[nodiscard]] inline boost::asio::ip::tcp::endpoint endpoint_of(
    int descriptor,
    int (*call)(int, sockaddr*, socklen_t*),
    boost::system::error_code& code) noexcept {
    boost::asio::ip::tcp::endpoint endpoint;
    auto length = static_cast<socklen_t>(endpoint.capacity());
    code = error_of_call(call(descriptor, endpoint.data(), &length));
    if (code) return {};
    endpoint.resize(length);
    return endpoint;
}

template <class Option>
[[nodiscard]] boost::system::error_code set_option(int descriptor,
                                                   const boost::asio::ip::tcp& protocol,
                                                   const Option& option) {
    return error_of_call(::setsockopt(descriptor, option.level(protocol), option.name(protocol),
                                      option.data(protocol),
                                      static_cast<socklen_t>(option.size(protocol))));
}

template <class Option>
[[nodiscard]] boost::system::error_code get_option(int descriptor,
                                                   const boost::asio::ip::tcp& protocol,
                                                   Option& option) {
    auto length = static_cast<socklen_t>(option.size(protocol));
    const auto code = error_of_call(::getsockopt(
        descriptor, option.level(protocol), option.name(protocol), option.data(protocol), &length));
    if (!code) option.resize(protocol, length);
    return code;
}

}  // namespace leat::detail
