// A server's connections, each in a task of its own.
#pragma once

#include "common/draining.hpp"

#include <leat/engine/asio/tcp_acceptor.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/asio/as_tuple.hpp>

#include <chrono>
#include <utility>

namespace leat::apps {

/// The loop of accept_each; in a scope of its own, so that whatever ends it ends the others.
template <class Serve>
task<> accept_into(scope& connections, tcp_acceptor& acceptor, draining& answers, Serve& serve) {
    while (!answers.begun()) {
        auto got = co_await acceptor.async_accept(boost::asio::as_tuple(use_task));
        if (std::get<0>(got)) {
            // Of descriptors, say: they come back when others go. Ends it when the engine stops.
            co_await leat::sleep(std::chrono::milliseconds{10});
        } else {
            connections.spawn_made([&] { return serve(std::move(std::get<1>(got))); });
        }
    }
}

/// Accepts connections and runs serve(tcp_stream), which gives a task<> that throws nothing, for
/// each, on this shard. Ends when `answers` drains and another connection comes, or a stop is
/// requested, and only after all of those tasks.
template <class Serve>
task<> accept_each(tcp_acceptor& acceptor, draining& answers, Serve serve) {
    scope connections;
    connections.spawn_made([&] { return accept_into(connections, acceptor, answers, serve); });
    co_await connections.join();
}

}  // namespace leat::apps
