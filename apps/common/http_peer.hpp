// What an HTTP server does with a connection besides answering.
#pragma once

#include "common/unsent_bytes.hpp"
#include "http/file_answer.hpp"
#include "http/request_parser.hpp"
#include "http/status.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/engine/asio/tcp_acceptor.hpp>
#include <leat/engine/asio/tcp_stream.hpp>
#include <leat/engine/task.hpp>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstdint>

namespace leat::apps {

/// Listens on 127.0.0.1, with most_unsent for each connection, and without Nagle's delay of what
/// ends an answer. Every shard may have one for the same port. On a shard; throws
/// boost::system::system_error.
[[nodiscard]] tcp_acceptor listen_on(std::uint16_t port);

/// Reads a request's head into parser.head(), whose views hold until the next call; what follows it
/// stays in `buffer`. `patience` is for all of it, by the shard's clock. False if there is none to
/// answer: it was malformed, too large or too slow, and is refused; or nobody asks, since the peer
/// has gone, or has said nothing at all in this time, or a stop is requested. Throws
/// boost::system::system_error if a refusal cannot be sent.
[[nodiscard]] task<bool> read_head(tcp_stream& peer,
                                   boost::beast::flat_buffer& buffer,
                                   http::request_parser& parser,
                                   std::chrono::nanoseconds patience);

/// Sends an answer: its head, and each part of the file, through the cache. The answer and the
/// buffer that it was made in outlive it. Gives the error of send_range if that fails, having
/// refused by status_of(error) where nothing had gone out; else the peer is closed. Throws if the
/// refusal cannot be sent.
[[nodiscard]] task<boost::system::error_code> send_answer(tcp_stream& peer,
                                                          const chunk_manager& manager,
                                                          file from,
                                                          const http::file_answer& answer,
                                                          std::chrono::nanoseconds patience);

/// Answers by a status and its reason alone, which is to be the connection's last answer. Throws
/// boost::system::system_error.
[[nodiscard]] task<> refuse(tcp_stream& peer, http::status code, std::chrono::nanoseconds patience);

/// The status for a file that cannot be opened or read: 403, 404, 503 if another try may help, else
/// 500.
[[nodiscard]] http::status status_of(const boost::system::error_code& failure);

/// Ends a connection so that the peer gets the last answer: tells it that nothing follows, and
/// drops what it still sends, until its end, or until it has sent nothing for 2 s, for 30 s at most
/// (RFC 9112, 9.6). Closed while bytes wait to be read, the connection would be reset, and what the
/// kernel had not sent yet would be lost.
[[nodiscard]] task<> close_in_stages(tcp_stream& peer);

}  // namespace leat::apps
