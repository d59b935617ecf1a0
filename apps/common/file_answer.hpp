// What a server answers to a request for a file.
#pragma once

#include "common/http_request.hpp"

#include <leat/cache/chunk_source.hpp>

#include <boost/beast/http/status.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <string>

namespace leat::apps {

/// The head of an answer, and which bytes of the file follow it.
struct file_answer {
    std::string head;          ///< status line and fields, with the empty line behind them
    std::uint64_t first = 0;   ///< of the content, in the file
    std::uint64_t length = 0;  ///< of the content; 0: there is none
    bool goes_on = false;      ///< another request may follow on the connection
};

/// The answer of RFC 9110 to a request that read_head has read, or failed to read, for a file of
/// `size` bytes in its present version, whose entity tag is etag_of(version):
///
/// - `heard`, what read_head gave, is another status than ok: refusal(heard).
/// - GET: 200 with all of it, or 206 with the range that is asked for. Of several ranges those that
///   overlap or touch are one; what is several then is answered by the whole file, as 14.2 allows,
///   not by multipart/byteranges. 416 tells the size. HEAD: the same head as a GET's without a
///   range, no content.
/// - Other methods: 405 with those allowed, or 501 for those that HTTP does not know.
/// - If-Match: 412. If-None-Match: 304. If-Range: the whole file unless it is the entity tag
/// itself;
///   a weak one, a list or a date never is.
///
/// A request with content of its own, which is not read, is the last of its connection. Any thread.
///
///     const auto answer = apps::answer_to(request, heard, file.size(), file.version());
///     co_await leat::send_range(peer, manager, file, answer.first, answer.length,
///                               {.head = asio::buffer(answer.head), .patience = 60s});
[[nodiscard]] file_answer answer_to(const http_request& request,
                                    boost::beast::http::status heard,
                                    std::uint64_t size,
                                    const file_version& version);

/// An answer without content, the last of its connection.
[[nodiscard]] file_answer refusal(boost::beast::http::status status);

/// The status for a file that cannot be opened or read: 403, 404, 503 if another try may help, else
/// 500.
[[nodiscard]] boost::beast::http::status status_of(const boost::system::error_code& failure);

/// A strong entity tag of a file's version, in quotes: 128 bits of hash, the same in every
/// process.
[[nodiscard]] std::string etag_of(const file_version& version);

}  // namespace leat::apps
