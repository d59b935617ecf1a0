// Answers that no file's bytes follow: errors, redirections, and what is made in memory.
#pragma once

#include "http/http_date.hpp"
#include "http/request_head.hpp"
#include "http/status.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace leat::http {

/// The beginning of a connection's answer, or all of it.
struct short_answer {
    std::string_view bytes;   ///< empty if the buffer was too small
    bool keep_alive = false;  ///< another request may follow
};

/// What a refusal tells besides its status.
struct refusal_facts {
    std::string_view location{};               ///< Location, of a redirection
    std::string_view allow = "GET, HEAD";      ///< Allow, of a 405
    unsigned retry_after_s = 1;                ///< Retry-After, of a 503
    std::string_view realm = "leat";           ///< of a 401: WWW-Authenticate: Basic
    std::optional<std::uint64_t> file_size{};  ///< of a 416: Content-Range: bytes */SIZE
    std::string_view extra_fields{};           ///< lines as extra_fields::text() gives them
    bool nosniff = true;                       ///< X-Content-Type-Options
    bool close = false;                        ///< the connection ends, whatever the request says
};

/// An answer whose content are the status and its reason, a line of text; without it for HEAD. What
/// the parser refused is the last of its connection, and so is a request with content, which nobody
/// has read. `buffer`: least_buffer bytes besides the facts.
[[nodiscard]] short_answer refuse(status code,
                                  const request_head& head,
                                  const refusal_facts& facts,
                                  sys_seconds now,
                                  std::span<char> buffer);

/// The head of a 200 whose content, made in memory, is for the caller to send, unless the request
/// is a HEAD. It is not to be stored: Cache-Control: no-store. The length may be left out where
/// the content has not been made, for a HEAD (RFC 9110, 9.3.2).
[[nodiscard]] short_answer answer_made(std::string_view content_type,
                                       std::optional<std::uint64_t> content_length,
                                       const request_head& head,
                                       const refusal_facts& facts,
                                       sys_seconds now,
                                       std::span<char> buffer);

}  // namespace leat::http
