// What a server answers to a request for a file.
#pragma once

#include <leat/cache/file.hpp>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <string>

namespace leat::apps {

using http_request = boost::beast::http::request_parser<boost::beast::http::empty_body>;

/// The head of an answer, and which bytes of the file follow it.
struct file_answer {
    std::string head;          ///< status line and fields, up to the empty line
    file of;                   ///< whose content follows
    std::uint64_t first = 0;   ///< of the content, in the file
    std::uint64_t length = 0;  ///< of the content; 0: there is none
    bool goes_on = false;      ///< another request may follow on the connection
};

/// The answer of RFC 9110 to a request that read_head has read, for this version of a file:
/// - GET: 200 with all of it, or 206 with the range that is asked for. Of several ranges those that
///   overlap or touch are one; what remains several is answered by the whole file. 416 tells the
///   size. HEAD: the same head as GET's without a range, no content.
/// - Other known methods: 405, unknown ones: 501.
/// - If-Match: 412, If-None-Match: 304, If-Range: the whole file unless it names its entity tag,
///   which is a strong one.
/// - `heard` is another status than ok: refusal(heard).
/// A request with content of its own, which is not read, is the last of its connection.
[[nodiscard]] file_answer answer_to(const http_request& request,
                                    boost::beast::http::status heard,
                                    const file& asked);

/// An answer without content, the last of its connection.
[[nodiscard]] file_answer refusal(boost::beast::http::status status);

/// The status for a file that cannot be opened or read: 403, 404, 503 if another try may help, else
/// 500.
[[nodiscard]] boost::beast::http::status status_of(const boost::system::error_code& failure);

/// A strong entity tag of a file's version: equal versions have equal ones, here and after a
/// restart.
[[nodiscard]] std::string etag_of(const file_version& version);

}  // namespace leat::apps
