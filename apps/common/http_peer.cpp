// Listens, reads the heads of requests, sends answers, and closes in stages.
#include "common/http_peer.hpp"

#include "common/error_of.hpp"
#include "http/short_answer.hpp"

#include <leat/cache/asio/send_range.hpp>
#include <leat/io/error.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detail/socket_option.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <cerrno>

namespace leat::apps {

namespace asio = boost::asio;

namespace {

task<> send_parts(tcp_stream& peer,
                  const chunk_manager& manager,
                  file from,
                  const http::file_answer& answer,
                  std::chrono::nanoseconds patience) {
    send_range_options options{.head = asio::buffer(answer.head), .patience = patience};
    if (!answer.multipart()) {
        const auto part = answer.parts.empty() ? http::byte_range{} : answer.parts.front();
        co_await send_range(peer, manager, from, part.first, part.length, options);
        co_return;
    }
    std::array<char, 512> text;
    bool begun = false;
    try {
        for (std::size_t i = 0; i < answer.parts.size(); ++i) {
            if (begun) options.head = asio::buffer(answer.part_head(i, text));
            const http::byte_range part = answer.parts[i];
            co_await send_range(peer, manager, from, part.first, part.length, options);
            begun = true;
        }
        const auto end = asio::buffer(answer.end(text));
        co_await asio::async_write(peer, end, use_task);
    } catch (...) {
        if (begun) peer.close();  // what it was promised does not come
        throw;
    }
}

}  // namespace

tcp_acceptor listen_on(std::uint16_t port) {
    const asio::ip::tcp::endpoint here{asio::ip::address_v4::loopback(), port};
    tcp_acceptor acceptor{shard_executor::current(), here, /*share*/ true};
    // Connections inherit both, which spares a call for each.
    acceptor.set_option(asio::ip::tcp::no_delay{true});
    using unsent = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;
    acceptor.set_option(unsent{most_unsent});
    return acceptor;
}

task<bool> read_head(tcp_stream& peer,
                     boost::beast::flat_buffer& buffer,
                     http::request_parser& parser,
                     std::chrono::nanoseconds patience) {
    constexpr std::size_t at_once = 2048;
    http::status refusal = http::status::ok;
    peer.expires_after(patience);
    while (refusal == http::status::ok) {
        const auto received = buffer.cdata();
        const http::request_parser::verdict said =
            parser.parse({static_cast<const char*>(received.data()), received.size()});
        if (said.is == http::request_parser::state::complete) {
            buffer.consume(said.head_bytes);  // where it lies it stays until more is read
            co_return true;
        }
        refusal = said.refusal;
        if (said.is == http::request_parser::state::refused) continue;
        const auto read =
            co_await peer.async_read_some(buffer.prepare(at_once), asio::as_tuple(use_task));
        const boost::system::error_code code = std::get<0>(read);
        buffer.commit(std::get<1>(read));
        if (!code) continue;
        // Half a request is answered, if somebody may still listen.
        if (!parser.begun()) co_return false;
        if (code == asio::error::timed_out) {
            refusal = http::status::request_timeout;
        } else if (code == asio::error::eof) {
            refusal = http::status::bad_request;
        } else {
            co_return false;
        }
    }
    co_await refuse(peer, refusal, patience);
    co_return false;
}

task<boost::system::error_code> send_answer(tcp_stream& peer,
                                            const chunk_manager& manager,
                                            file from,
                                            const http::file_answer& answer,
                                            std::chrono::nanoseconds patience) {
    const auto failed = co_await error_of(send_parts(peer, manager, from, answer, patience));
    if (failed && peer.is_open()) co_await refuse(peer, status_of(failed), patience);
    co_return failed;
}

task<> refuse(tcp_stream& peer, http::status code, std::chrono::nanoseconds patience) {
    std::array<char, http::least_buffer> buffer;
    const http::short_answer answer =
        http::refuse(code, {}, {.close = true}, http::present(), buffer);
    peer.expires_after(patience);
    co_await asio::async_write(peer, asio::buffer(answer.bytes), use_task);
}

http::status status_of(const boost::system::error_code& failure) {
    if (failure == errc::all_pinned || failure == errc::no_buffer ||
        failure == errc::file_changed || failure == errc::stopped)
        return http::status::service_unavailable;
    if (failure.category() != boost::system::system_category())
        return http::status::internal_server_error;
    switch (failure.value()) {
        case ENOENT:
        case ENOTDIR:
            return http::status::not_found;
        case EACCES:
        case EPERM:
            return http::status::forbidden;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case ENOBUFS:
            return http::status::service_unavailable;
        default:
            return http::status::internal_server_error;
    }
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
