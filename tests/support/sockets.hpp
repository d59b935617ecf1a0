// Connections of a shard over loopback, and what handlers and tasks of tests say.
#pragma once

#include <leat/engine/asio/shard_executor.hpp>
#include <leat/engine/asio/tcp_stream.hpp>
#include <leat/engine/sleep.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace leat::test {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// What a handler was told, and how often. The handler refers to it.
struct told {
    int calls = 0;
    error_code code;
    std::size_t count = 0;

    [[nodiscard]] auto handler() noexcept {
        return [this](error_code code_, std::size_t count_ = 0) {
            ++calls;
            code = code_;
            count = count_;
        };
    }
};

/// Waits until the condition holds, on a shard; false if it does not within ten seconds.
template <class Condition>
task<bool> until(Condition condition) {
    const io::time_point limit = this_shard().now() + std::chrono::seconds(10);
    while (!condition()) {
        if (this_shard().now() > limit) co_return false;
        co_await leat::sleep(std::chrono::microseconds(200));
    }
    co_return true;
}

/// The descriptors of a TCP connection over 127.0.0.1, without any engine.
struct raw_connection {
    raw_connection() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        near = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const bool connected =
            ::bind(listener, generic, length) == 0 && ::listen(listener, 1) == 0 &&
            ::getsockname(listener, generic, &length) == 0 && ::connect(near, generic, length) == 0;
        if (connected) far = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        ::close(listener);
        if (far < 0) throw std::runtime_error("no connection over loopback");
    }
    int near = -1;
    int far = -1;
};

/// Two connected streams of the current shard.
struct connection {
    connection() : connection(raw_connection()) {}
    tcp_stream near;
    tcp_stream far;

private:
    explicit connection(const raw_connection& raw)
        : near(shard_executor::current(), tcp::v4(), raw.near),
          far(shard_executor::current(), tcp::v4(), raw.far) {}
};

/// Makes a close of the stream send a reset.
inline void reset_at_close(tcp_stream& stream) {
    stream.set_option(asio::socket_base::linger(true, 0));
}

}  // namespace leat::test

/// In a task<std::string>: ends it with the condition's text unless that holds. On shards the test
/// library's own macros must not be used.
#define LEAT_EXPECT(condition)                                                 \
    do {                                                                       \
        const bool leat_holds = static_cast<bool>(condition);                  \
        if (!leat_holds) co_return std::to_string(__LINE__) + ": " #condition; \
    } while (false)
