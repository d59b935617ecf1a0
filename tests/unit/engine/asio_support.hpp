// What the tests of sockets share: engines, connections, handlers that count.
#pragma once

#include "engine_support.hpp"

#include <leat/engine/asio/shard_executor.hpp>
#include <leat/engine/asio/tcp_acceptor.hpp>
#include <leat/engine/asio/tcp_stream.hpp>
#include <leat/engine/asio/use_task.hpp>
#include <leat/engine/scope.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace leat::test {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Gives the error instead of throwing it: (error_code, value...).
inline constexpr auto as_result = asio::as_tuple_t<use_task_t>(use_task);

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

/// A few turns of the shard's loop.
inline task<> some_turns(int count = 5) {
    for (int i = 0; i < count; ++i) co_await leat::sleep(std::chrono::nanoseconds(0));
}

[[nodiscard]] inline tcp::endpoint loopback(std::uint16_t port = 0) {
    return {asio::ip::address_v4::loopback(), port};
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

/// Sends until neither the stream nor its peer has any more room; how much that was.
inline task<std::size_t> fill(tcp_stream& stream) {
    const std::vector<char> block(1 << 16, 'x');
    std::size_t all = 0;
    for (;;) {
        const ssize_t sent =
            ::send(stream.native_handle(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            all += static_cast<std::size_t>(sent);
            continue;
        }
        co_await leat::sleep(std::chrono::milliseconds(2));
        pollfd room{stream.native_handle(), POLLOUT, 0};
        if (::poll(&room, 1, 0) == 0) co_return all;
    }
}

/// Threads of this process.
[[nodiscard]] inline std::size_t threads() {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

/// Runs job(engine) as a task on shard 0, ends the engine, and tells what failed: what the task
/// says, an error that escaped it, or what the engine left behind.
template <class Job>
[[nodiscard]] std::string outcome_of(unsigned shards, io::backend_kind kind, Job job) {
    const leftovers before;
    std::string failure;
    {
        engine owner{options_of(shards, kind)};
        try {
            failure = owner.run(job(owner));
        } catch (const std::exception& escaped) {
            failure = escaped.what();
        }
        owner.stop();
        const stop_report report = owner.join();
        if (report.code) failure += "; stop: " + report.owed;
    }
    if (!before.none()) failure += "; something is left";
    return failure;
}

}  // namespace leat::test

/// In a task<std::string>: ends it with the condition's text unless that holds. On shards the test
/// library's own macros must not be used.
#define LEAT_EXPECT(condition)                                                 \
    do {                                                                       \
        const bool leat_holds = static_cast<bool>(condition);                  \
        if (!leat_holds) co_return std::to_string(__LINE__) + ": " #condition; \
    } while (false)
