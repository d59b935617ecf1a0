// Listens, reads the heads of requests, refuses them, and closes in stages.
#include "common/http_peer.hpp"

#include "common/file_answer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detail/socket_option.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/none.hpp>

#include <algorithm>
#include <array>

namespace leat::apps {

namespace asio = boost::asio;
namespace http = boost::beast::http;

tcp_acceptor listen_on(std::uint16_t port) {
    const asio::ip::tcp::endpoint here{asio::ip::address_v4::loopback(), port};
    tcp_acceptor acceptor{shard_executor::current(), here, /*share*/ true};
    // Connections inherit both, which spares a call for each.
    acceptor.set_option(asio::ip::tcp::no_delay{true});
    using unsent = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;
    acceptor.set_option(unsent{most_unsent});
    return acceptor;
}

task<std::optional<http::status>> read_head(tcp_stream& peer,
                                            boost::beast::flat_buffer& buffer,
                                            http_request& request,
                                            std::chrono::nanoseconds patience) {
    request.header_limit(largest_head);
    request.body_limit(boost::none);  // it is not read, whatever its size
    peer.expires_after(patience);
    const auto read =
        co_await http::async_read_header(peer, buffer, request, asio::as_tuple(use_task));
    const boost::system::error_code code = std::get<0>(read);
    if (!code) co_return http::status::ok;
    if (code == http::error::header_limit || code == http::error::buffer_overflow)
        co_return http::status::request_header_fields_too_large;
    if (code == http::error::end_of_stream) co_return std::nullopt;
    if (code == asio::error::timed_out && request.got_some())
        co_return http::status::request_timeout;
    const bool of_http = code.category() == make_error_code(http::error::bad_method).category();
    if (of_http) co_return http::status::bad_request;
    co_return std::nullopt;
}

task<> refuse(tcp_stream& peer, http::status status, std::chrono::nanoseconds patience) {
    const file_answer answer = refusal(status);
    peer.expires_after(patience);
    co_await asio::async_write(peer, asio::buffer(answer.head), use_task);
}

task<> close_in_stages(tcp_stream& peer) {
    constexpr std::chrono::seconds longest_silence{2};
    constexpr std::chrono::seconds longest{30};
    shard& home = peer.get_executor().home();
    const io::time_point end = home.after(longest);
    boost::system::error_code code;
    peer.shutdown(tcp_stream::shutdown_send, code);
    for (std::array<std::byte, 4096> dropped; !code;) {
        peer.expires_at(std::min(home.after(longest_silence), end));
        const auto read =
            co_await peer.async_read_some(asio::buffer(dropped), asio::as_tuple(use_task));
        code = std::get<0>(read);
    }
    peer.close();
}

}  // namespace leat::apps
