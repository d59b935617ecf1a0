#include "common/http_peer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/none.hpp>

#include <array>

namespace leat::apps {

namespace asio = boost::asio;
namespace http = boost::beast::http;

task<http::status> read_head(tcp_stream& peer,
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
    if (code == http::error::end_of_stream) co_return http::status::unknown;
    if (code == asio::error::timed_out && request.got_some())
        co_return http::status::request_timeout;
    const bool of_http = code.category() == make_error_code(http::error::bad_method).category();
    co_return of_http ? http::status::bad_request : http::status::unknown;
}

task<> close_in_stages(tcp_stream& peer) {
    boost::system::error_code code;
    peer.shutdown(tcp_stream::shutdown_send, code);
    peer.expires_after(std::chrono::seconds{2});
    for (std::array<std::byte, 4096> dropped; !code;) {
        const auto read =
            co_await peer.async_read_some(asio::buffer(dropped), asio::as_tuple(use_task));
        code = std::get<0>(read);
    }
    peer.close();
}

}  // namespace leat::apps
