// Accepts administrators, reads their requests and writes the answers.
#include "admin_server.hpp"

#include "admin_access.hpp"
#include "common/messages.hpp"
#include "http/head_writer.hpp"
#include "http/http_date.hpp"
#include "http/request_parser.hpp"
#include "serve/arguments.hpp"
#include "serve/peer_address.hpp"
#include "serve/receive_buffer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>

#include <array>
#include <exception>
#include <utility>

namespace leat::serve {

namespace asio = boost::asio;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr http::request_limits limits{.head = 16 << 10, .target = 8 << 10};

// Nothing of other servers, nothing inside the page's text, and nobody else's frame.
constexpr std::string_view page_fields =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Cache-Control: no-store\r\n";

/// What requests to this connection name as their host; empty for a unix path.
std::string address_of(int descriptor) {
    const peer_address self = peer_address::of_self(descriptor);
    return self.known ? self.endpoint() : std::string{};
}

/// The head, and behind it the content unless the request is a HEAD.
std::string written(const admin_answer& from, const http::request_head& head, bool keep_alive) {
    std::array<char, 2048> memory;
    http::head_writer to{memory};
    to.begin_answer(from.code, http::present());
    to.connection(head, keep_alive);
    to.field("Content-Type", from.content_type);
    to.field("Content-Length", from.content.size());
    if (!from.allow.empty()) to.field("Allow", from.allow);
    if (from.code == http::status::service_unavailable) to.field("Retry-After", 1);
    to.lines(page_fields);
    std::string all{to.finish()};
    if (head.method != http::request_method::head) all += from.content;
    return all;
}

}  // namespace

admin_server::admin_server(listener& where, const running_server& of, std::function<void()> drain)
    : pages_(of, std::move(drain)) {
    acceptor_.assign(protocol{where.is_unix() ? AF_UNIX : AF_INET, 0}, where.take(0));
    asio::co_spawn(asio::make_strand(pool_), accept(), asio::detached);
}

admin_server::~admin_server() {
    pool_.stop();
    pool_.join();
}

asio::awaitable<void> admin_server::accept() {
    for (;;) {
        const asio::any_io_executor strand = asio::make_strand(pool_);
        auto accepted = co_await acceptor_.async_accept(strand, as_result);
        if (std::get<0>(accepted) == asio::error::operation_aborted) co_return;
        if (std::get<0>(accepted)) {  // descriptors come back when others go
            asio::steady_timer pause{pool_, std::chrono::milliseconds{10}};
            co_await pause.async_wait(as_result);
            continue;
        }
        if (connections_.fetch_add(1) >= most_connections) {
            connections_.fetch_sub(1);
            continue;
        }
        peer_stream peer{std::move(std::get<1>(accepted))};
        const auto ended = [this](const std::exception_ptr&) { connections_.fetch_sub(1); };
        asio::co_spawn(strand, serve(std::move(peer)), ended);
    }
}

admin_answer admin_server::answer(const http::request_head& head, const std::string& self) try {
    const http::status access = judge_access(head, self);
    if (access == http::status::ok) return pages_.answer(head);
    std::string why = access == http::status::misdirected_request
                          ? "421: the field Host is to be " + self + ", this server's address\n"
                          : "403: POST needs the field Leat-Admin: 1, and no Origin but its own\n";
    return {.code = access, .content = std::move(why)};
} catch (const std::exception& failure) {
    return {.code = http::status::service_unavailable,
            .content = failure.what() + std::string{"\n"}};
}

asio::awaitable<void> admin_server::serve(peer_stream peer) {
    using state = http::request_parser::state;
    const std::string self = address_of(peer.socket().native_handle());
    http::request_parser parser{limits};
    receive_buffer received;
    bool goes_on = true;
    while (goes_on) {
        peer.expires_after(patience);
        http::request_parser::verdict said = parser.parse(received.bytes());
        while (said.is == state::more) {
            const auto room = received.room(limits.head + 2);
            const auto got =
                co_await peer.async_read_some(asio::buffer(room.data(), room.size()), as_result);
            if (std::get<0>(got)) co_return;
            received.received(std::get<1>(got));
            said = parser.parse(received.bytes());
        }
        const http::request_head& head = parser.head();
        goes_on = said.is == state::complete && head.keep_alive &&
                  head.content == http::content_kind::none;
        admin_answer made;
        if (said.is == state::refused) {
            made.code = said.refusal;
        } else {
            made = answer(head, self);
        }
        const std::string bytes = written(made, head, goes_on);
        peer.expires_after(patience);
        const auto sent = co_await asio::async_write(peer, asio::buffer(bytes), as_result);
        if (std::get<0>(sent)) co_return;
        received.consume(said.head_bytes);
    }
    // Closed while bytes wait to be read, the connection would be reset, and the answer be lost.
    boost::system::error_code failure;
    peer.socket().shutdown(asio::socket_base::shutdown_send, failure);
    peer.expires_after(std::chrono::seconds{1});
    std::array<char, 1024> dropped;
    while (!failure) {
        const auto got = co_await peer.async_read_some(asio::buffer(dropped), as_result);
        failure = std::get<0>(got);
    }
}

}  // namespace leat::serve
