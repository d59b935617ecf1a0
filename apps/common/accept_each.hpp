// A server's connections, each in a task of its own.
#pragma once

#include <leat/engine/asio/tcp_acceptor.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/with_scope.hpp>

#include <boost/asio/as_tuple.hpp>

#include <chrono>
#include <new>
#include <utility>

namespace leat::apps {

/// The loop of accept_each.
template <class Serve>
task<> accept_into(scope& connections, tcp_acceptor& acceptor, Serve& serve) {
    for (;;) {
        auto accepted = co_await acceptor.async_accept(boost::asio::as_tuple(use_task));
        bool failed = bool(std::get<0>(accepted));
        try {
            if (!failed) connections.spawn(serve(std::move(std::get<1>(accepted))));
        } catch (const std::bad_alloc&) {
            failed = true;
        }
        // Descriptors and memory come back when others go. Throws when a stop is requested.
        if (failed) co_await leat::sleep(std::chrono::milliseconds{10});
    }
}

/// Accepts connections for ever and runs serve(tcp_stream) for each, on this shard: that gives a
/// task<>, which must throw nothing, since an error ends the others, too. Where descriptors or
/// memory run out, peers wait in the kernel until there are some again.
///
/// Ends by a stop request only, which reaches the connections, and after the last of them. Throws
/// errc::cancelled or errc::stopped then. `acceptor` must outlive it; `serve` is kept until the
/// end.
///
///     const auto each = [&](leat::tcp_stream peer) { return answer(manager, std::move(peer)); };
///     co_await apps::accept_each(acceptor, each);
template <class Serve>
[[nodiscard]] task<> accept_each(tcp_acceptor& acceptor, Serve serve) {
    const auto body = [&](scope& connections) { return accept_into(connections, acceptor, serve); };
    co_await with_scope(body);
}

}  // namespace leat::apps
