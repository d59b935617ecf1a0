// Receives requests, and begins and ends connections.
#include "connection.hpp"

#include "http/proxy_header.hpp"
#include "http/short_answer.hpp"
#include "shard_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <cassert>

namespace leat::serve {

namespace asio = boost::asio;

namespace {

http::request_limits limits_of(const server_options& options) {
    const auto head = static_cast<std::uint32_t>(options.max_head);
    return {.head = head, .target = head / 2};
}

}  // namespace

connection::connection(shard_server& server, tcp_stream socket)
    : server_(server),
      socket_(std::move(socket)),
      peer_(peer_address::of_peer(socket_.native_handle())),
      parser_(limits_of(server.shared().options)) {}

task<> connection::serve() {
    try {
        bool goes_on = co_await begin();
        while (goes_on) {
            const auto said = parser_.parse(buffer_.bytes());
            if (said.is == http::request_parser::state::more) {
                if (server_.draining() && buffer_.empty()) break;
                const std::span<char> room = begin_receive();
                received got;
                if (tls_) {
                    got = co_await receive_by_tls(room);
                } else {
                    const auto plain = co_await socket_.async_read_some(
                        asio::buffer(room.data(), room.size()), asio::as_tuple(use_task));
                    got = {std::get<0>(plain), std::get<1>(plain)};
                }
                waiting_ = false;
                buffer_.received(got.count);
                if (got.failure) goes_on = co_await end_receiving(got.failure);
                continue;
            }
            begin_answer();
            if (said.is == http::request_parser::state::refused) {
                lingers_ = true;
                goes_on = co_await refuse(said.refusal);
                break;
            }
            if (parser_.head().content != http::content_kind::none) lingers_ = true;
            const std::optional<bool> answered = answer_at_once();
            if (answered) {
                goes_on = *answered;
            } else if (rest_) {
                goes_on = co_await send_rest();
            } else {
                goes_on = co_await answer();
            }
            buffer_.consume(said.head_bytes);
            receives_head_ = false;
        }
        if (!broken_) co_await end();
    } catch (const std::exception&) {
        // The end of this connection, not of others: the peer has gone, memory is short, or the
        // server stops.
    }
    socket_.close();
}

void connection::end_if_idle() noexcept {
    boost::system::error_code gone;
    if (waiting_ && buffer_.empty()) socket_.shutdown(tcp_stream::shutdown_receive, gone);
}

request_in_flight connection::in_flight(io::time_point now) const {
    constexpr std::size_t longest = 256;
    const http::request_head& head = parser_.head();
    request_in_flight told;
    told.peer = peer_.endpoint();
    told.method = head.method_text;
    told.target = head.target.substr(0, longest);
    told.shard = this_shard().index();
    told.age = now - heard_;
    told.sent = gone_out_;
    told.length = length_;
    return told;
}

task<bool> connection::begin() {
    const server_options& options = server_.shared().options;
    socket_.expires_after(options.head_timeout);
    connection_limits& limits = *server_.shared().limits;
    bool has_room = true;
    if (options.proxy_protocol) {
        place_ = limits.enter({});  // whose it is is not known yet
        has_room = bool(place_);
        if (has_room) {
            const bool told = co_await read_proxy_header();
            if (!told) co_return false;
            place_ = {};
        }
    }
    if (has_room) place_ = limits.enter(peer_);
    if (!place_) ++server_.counters().turned_away;
    if (server_.shared().tls) {
        if (!place_) co_return false;
        const bool agreed = co_await begin_tls();
        co_return agreed;
    }
    if (!place_) {
        lingers_ = true;
        co_await refuse(http::status::service_unavailable);
        co_return false;
    }
    if (options.zero_copy != zero_copy_use::off && peer_.known) {
        const bool here = peer_.same_host(peer_address::of_self(socket_.native_handle())) ||
                          (peer_.is_v4() && peer_.bytes[12] == 127);
        socket_.zero_copy(options.zero_copy == zero_copy_use::on || !here);
    }
    co_return true;
}

task<bool> connection::read_proxy_header() {
    for (;;) {
        const http::proxy_header told = http::parse_proxy_header(buffer_.bytes());
        if (told.is == http::proxy_header::state::refused) co_return false;
        if (told.is == http::proxy_header::state::complete) {
            buffer_.consume(told.bytes);
            if (!told.local) peer_ = peer_address::of(told.source);
            co_return true;
        }
        const auto room = buffer_.room(http::most_proxy_header_bytes);
        if (room.empty()) co_return false;
        const auto got = co_await socket_.async_read_some(asio::buffer(room.data(), room.size()),
                                                          asio::as_tuple(use_task));
        if (std::get<0>(got)) co_return false;
        buffer_.received(std::get<1>(got));
    }
}

task<bool> connection::begin_tls() {
    keys_ = server_.shared().tls->present();
    tls_ = std::make_unique<tls_stream>(socket_, *keys_);
    const auto early = buffer_.bytes();  // what came behind the PROXY header
    const auto agreed = co_await tls_->async_handshake(asio::ssl::stream_base::server,
                                                       asio::buffer(early.data(), early.size()),
                                                       asio::as_tuple(use_task));
    buffer_.consume(std::get<1>(agreed));
    if (std::get<0>(agreed)) ++server_.counters().handshakes_failed;
    co_return !std::get<0>(agreed);
}

task<connection::received> connection::receive_by_tls(std::span<char> room) {
    const auto got = co_await tls_->async_read_some(asio::buffer(room.data(), room.size()),
                                                    asio::as_tuple(use_task));
    co_return received{std::get<0>(got), std::get<1>(got)};
}

std::span<char> connection::begin_receive() {
    const server_options& options = server_.shared().options;
    if (!receives_head_) {
        receives_head_ = parser_.begun();
        socket_.expires_after(receives_head_ ? options.head_timeout : options.idle_timeout);
    }
    waiting_ = !receives_head_;
    // An empty line may come before a head, and one byte more is needed to see that it is too long:
    // without room a read would give nothing, at once, for ever.
    const auto room = buffer_.room(options.max_head + 3);
    assert(!room.empty());
    return room;
}

task<bool> connection::end_receiving(boost::system::error_code failure) {
    if (failure != asio::error::timed_out) co_return false;
    ++server_.counters().timed_out;
    if (receives_head_) {
        // The former request is no part of this answer; where its head lay is something else.
        parser_ = http::request_parser{limits_of(server_.shared().options)};
        begin_answer();
        lingers_ = true;
        co_await refuse(http::status::request_timeout);
    }
    co_return false;
}

task<> connection::end() {
    shard& home = this_shard();
    constexpr std::chrono::seconds silence{2};
    const std::chrono::seconds longest{place_ ? 30 : 2};
    const io::time_point last = home.after(longest);
    // Those without a place are no part of any limit: only a few may stay, or they would take the
    // descriptors of the others.
    constexpr unsigned most_turned_away = 16;
    if (!place_ && server_.leaving() >= most_turned_away) lingers_ = false;
    struct leaving {
        leaving(unsigned& count, unsigned one) noexcept : count_(count), one_(one) { count += one; }
        leaving(const leaving&) = delete;
        leaving& operator=(const leaving&) = delete;
        ~leaving() { count_ -= one_; }
        unsigned& count_;
        unsigned one_;
    } const counted{server_.leaving(), place_ ? 0U : 1U};
    if (tls_ && socket_.is_open()) {
        socket_.expires_at(home.after(silence));
        co_await tls_->async_shutdown(asio::as_tuple(use_task));
    }
    boost::system::error_code failure;
    socket_.shutdown(tcp_stream::shutdown_send, failure);
    // Closed while bytes wait to be read, a connection is reset, and what the kernel had not sent
    // yet is lost (RFC 9112, 9.6).
    std::array<char, 1024> dropped;
    while (lingers_ && !failure) {
        socket_.expires_at(std::min(home.after(silence), last));
        const auto got =
            co_await socket_.async_read_some(asio::buffer(dropped), asio::as_tuple(use_task));
        failure = std::get<0>(got);
    }
}

}  // namespace leat::serve
