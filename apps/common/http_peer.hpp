// What an HTTP server does with a connection besides answering.
#pragma once

#include "common/http_request.hpp"

#include <leat/engine/asio/tcp_acceptor.hpp>
#include <leat/engine/asio/tcp_stream.hpp>
#include <leat/engine/task.hpp>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/status.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace leat::apps {

/// The largest head of a request that is read: 16 KiB.
inline constexpr std::uint32_t largest_head = 1 << 14;

/// Bytes that the kernel keeps for a peer beyond what is on its way to it: 64 KiB. Without a limit
/// it takes megabytes for each that is slow, and tells that there is room again only when a third
/// of them has gone, which a peer of 10 KB/s takes longer for than a server is patient.
inline constexpr int most_unsent = 1 << 16;

/// Listens on 127.0.0.1, with most_unsent for each connection, and without Nagle's delay of what
/// ends an answer. Every shard may have one for the same port. On a shard; throws
/// boost::system::system_error.
[[nodiscard]] tcp_acceptor listen_on(std::uint16_t port);

/// Reads a request's head; what follows it stays in `buffer`. `patience` is for all of it, by the
/// shard's clock. Gives `ok`, or what is to be answered instead: bad_request, request_timeout,
/// request_header_fields_too_large. Gives nothing if nobody asks: the peer has gone, or has said
/// nothing at all in this time, or a stop is requested.
[[nodiscard]] task<std::optional<boost::beast::http::status>> read_head(
    tcp_stream& peer,
    boost::beast::flat_buffer& buffer,
    http_request& request,
    std::chrono::nanoseconds patience);

/// Answers by refusal(status), which is to be the connection's last answer. Throws
/// boost::system::system_error.
[[nodiscard]] task<> refuse(tcp_stream& peer,
                            boost::beast::http::status status,
                            std::chrono::nanoseconds patience);

/// Ends a connection so that the peer gets the last answer: tells it that nothing follows, and
/// drops what it still sends, until its end, or until it has sent nothing for 2 s, for 30 s at most
/// (RFC 9112, 9.6). Closed while bytes wait to be read, the connection would be reset, and what the
/// kernel had not sent yet would be lost.
[[nodiscard]] task<> close_in_stages(tcp_stream& peer);

}  // namespace leat::apps
