// What an HTTP server does with a connection besides answering.
#pragma once

#include "common/file_answer.hpp"

#include <leat/engine/asio/tcp_stream.hpp>
#include <leat/engine/task.hpp>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/status.hpp>

#include <chrono>

namespace leat::apps {

/// The largest head of a request that is read: 16 KiB.
inline constexpr std::uint32_t largest_head = 1 << 14;

/// Reads a request's head; what follows it stays in `buffer`. Gives ok, or what is to be answered
/// instead: bad_request, request_timeout if it has not ended within `patience` (of the shard's
/// clock, for all of it), request_header_fields_too_large. Gives `unknown` if nobody asks: the peer
/// has gone, has said nothing, or a stop is requested.
[[nodiscard]] task<boost::beast::http::status> read_head(tcp_stream& peer,
                                                         boost::beast::flat_buffer& buffer,
                                                         http_request& request,
                                                         std::chrono::nanoseconds patience);

/// Ends a connection so that the peer gets the last answer: tells it that nothing follows, and
/// reads and drops what it still sends, until its end, for two seconds at most (RFC 9112, 9.6).
/// Closed while bytes wait to be read, it would be reset, and the answer with it. Throws
/// errc::cancelled or errc::stopped only.
[[nodiscard]] task<> close_in_stages(tcp_stream& peer);

}  // namespace leat::apps
