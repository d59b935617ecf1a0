// The server at the administrator's address.
#pragma once

#include "admin_pages.hpp"
#include "serve/listener.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/basic_stream.hpp>

#include <atomic>
#include <functional>
#include <string>

namespace leat::serve {

/// Answers administrators on threads of its own, which are no shards: whatever they ask keeps no
/// shard waiting, and a shard that hangs does not keep them from seeing that it does.
///
/// Few are served at once, each with a deadline for its request and one for its answer; who is slow
/// holds up nobody else.
class admin_server {
public:
    /// Begins to serve. `where` listens already, and gives its socket. `drain` as admin_pages has
    /// it. Throws boost::system::system_error.
    admin_server(listener& where, const running_server& of, std::function<void()> drain);
    admin_server(const admin_server&) = delete;
    admin_server& operator=(const admin_server&) = delete;
    /// Ends all connections, after the answers that are being made.
    ~admin_server();

private:
    using protocol = boost::asio::generic::stream_protocol;
    using peer_stream = boost::beast::basic_stream<protocol>;

    static constexpr unsigned threads = 4;
    static constexpr int most_connections = 32;
    static constexpr std::chrono::seconds patience{10};

    [[nodiscard]] boost::asio::awaitable<void> accept();
    [[nodiscard]] boost::asio::awaitable<void> serve(peer_stream peer);
    [[nodiscard]] admin_answer answer(const http::request_head& head, const std::string& self);

    admin_pages pages_;
    std::atomic<int> connections_{0};
    // What runs in it refers to what stands above.
    boost::asio::thread_pool pool_{threads};
    boost::asio::basic_socket_acceptor<protocol> acceptor_{pool_};
};

}  // namespace leat::serve
