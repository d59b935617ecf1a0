// Reads the heads of requests, strictly.
#pragma once

#include "http/request_head.hpp"
#include "http/status.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leat::http {

/// How long what a peer sends may be, in bytes.
struct request_limits {
    std::uint32_t head = 16 << 10;  ///< from the request line to the empty line, both included: 431
    std::uint32_t target = 8 << 10;  ///< 414
};

/// Reads one head after the other from the bytes of a connection, without allocating.
///
///     leat::http::request_parser parser;
///     // Whenever bytes have come:
///     const auto said = parser.parse(received);
///     if (said.is == leat::http::request_parser::state::complete) {
///         answer(parser.head());
///         received.remove_prefix(said.head_bytes);  // content, or the next request
///     }
///
/// RFC 9112, and no more lenient than it where leniency lets two parties disagree on where a
/// request ends: 400 for a line that ends in LF alone, a CR elsewhere, a folded field, blanks
/// before a colon, any number of Host fields but one in HTTP/1.1, more than one elsewhere, a Host
/// that is none, Content-Length that is not one number, twice, or beside Transfer-Encoding, and for
/// Transfer-Encoding in HTTP/1.0. 501 for any transfer coding but `chunked` alone. 505 for other
/// versions than 1.0 and 1.1. One empty line before a request is skipped. Refused is final: the
/// server answers and closes, since what follows may be anything.
///
/// A refusal comes as soon as it is certain, be the head complete or not: when the target or the
/// head is too long, at the first line without CR, at a first byte that no method has, such as that
/// of a TLS handshake.
class request_parser {
public:
    enum class state : std::uint8_t { more, complete, refused };
    struct verdict {
        state is = state::more;
        status refusal = status::ok;  ///< what to answer, if refused
        std::size_t head_bytes = 0;   ///< how many bytes are the head, if complete
    };

    explicit request_parser(request_limits limits = {}) noexcept : limits_(limits) {}

    /// `received`: all the bytes of the connection behind those of the last complete head and its
    /// content. Where it lies may change from call to call. It is scanned once, however often it
    /// grows. After `complete` the next call begins the next request.
    [[nodiscard]] verdict parse(std::string_view received);

    /// After `complete`: the head, with views into what was given. After `refused`: what was
    /// understood of it, for logs: method and target, or nothing.
    [[nodiscard]] const request_head& head() const noexcept { return head_; }

    /// Whether a request has begun that is not complete: the peer owes the rest of it.
    [[nodiscard]] bool begun() const noexcept { return scan_.scanned > scan_.begin; }

private:
    // How far the end of the head was looked for.
    struct scan {
        std::size_t scanned = 0;  // bytes without an end
        std::size_t line = 0;     // where the line begins that is not complete
        std::size_t begin = 0;    // of the request line: behind an empty line, if there is one
        std::size_t end = 0;      // behind the empty line that ends the head; 0: not there yet
        bool first_line = true;   // the request line is not complete
    };

    [[nodiscard]] status find_end(std::string_view received) noexcept;
    [[nodiscard]] status first_line_fault(std::string_view line, bool complete) const noexcept;

    request_limits limits_;
    scan scan_;
    request_head head_;
};

}  // namespace leat::http
