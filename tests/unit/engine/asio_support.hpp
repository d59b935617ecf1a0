// What the tests of sockets share: engines, connections, handlers that count.
#pragma once

#include "engine_support.hpp"
#include "sockets.hpp"

#include <leat/engine/asio/shard_executor.hpp>
#include <leat/engine/asio/tcp_acceptor.hpp>
#include <leat/engine/asio/tcp_stream.hpp>
#include <leat/engine/asio/use_task.hpp>
#include <leat/engine/scope.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>

#include <poll.h>
#include <sys/socket.h>

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

/// Gives the error instead of throwing it: (error_code, value...).
inline constexpr auto with_code = asio::as_tuple_t<use_task_t>(use_task);

/// A few turns of the shard's loop.
inline task<> some_turns(int count = 5) {
    for (int i = 0; i < count; ++i) co_await leat::sleep(std::chrono::nanoseconds(0));
}

[[nodiscard]] inline tcp::endpoint loopback(std::uint16_t port = 0) {
    return {asio::ip::address_v4::loopback(), port};
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
