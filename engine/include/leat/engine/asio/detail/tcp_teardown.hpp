// How Beast closes a tcp_stream; found by argument-dependent lookup. Includes nothing of Beast.
#pragma once

#include <leat/engine/asio/tcp_stream.hpp>

#include <boost/asio/compose.hpp>

#include <array>
#include <memory>

namespace boost::beast {
enum class role_type;
}  // namespace boost::beast

namespace leat {

/// Closes the stream; for boost::beast::close_socket.
inline void beast_close_socket(tcp_stream& stream) noexcept {
    stream.close();
}

namespace detail {

/// Tells the peer that nothing more comes, if that is the server's part, and reads and drops what
/// the peer sends until its end: else the kernel might reset the connection, and the peer lose the
/// last message.
class tcp_teardown {
public:
    tcp_teardown(tcp_stream& stream, bool server)
        : stream_(stream), server_(server), dropped_(std::make_unique<memory>()) {}

    template <class Self>
    void operator()(Self& self, boost::system::error_code code = {}, std::size_t = 0) {
        if (std::exchange(server_, false)) stream_.shutdown(tcp_stream::shutdown_send, code);
        if (!code) {
            const auto into = boost::asio::buffer(*dropped_);
            stream_.async_read_some(into, std::move(self));
            return;
        }
        if (code == boost::asio::error::eof) code = {};
        stream_.close();
        self.complete(code);
    }

private:
    using memory = std::array<std::byte, 4096>;
    tcp_stream& stream_;
    bool server_;
    std::unique_ptr<memory> dropped_;
};

}  // namespace detail

/// Ends a WebSocket's connection as RFC 6455 wants it (7.1.1): the server shuts it down first, the
/// client waits for that. Used by boost::beast::websocket::stream. Handler: void(error_code).
template <class Handler, class Role = boost::beast::role_type>
void async_teardown(boost::beast::role_type role, tcp_stream& stream, Handler&& handler) {
    boost::asio::async_compose<Handler, void(boost::system::error_code)>(
        detail::tcp_teardown(stream, role == Role::server), handler, stream);
}

}  // namespace leat
