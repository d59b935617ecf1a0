// What a server answers to a request for a file that is there.
#pragma once

#include "http/byte_ranges.hpp"
#include "http/conditions.hpp"
#include "http/multipart_ranges.hpp"
#include "http/request_head.hpp"
#include "http/status.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace leat::http {

/// What an answer tells of a file.
struct file_facts {
    std::uint64_t size = 0;
    validators file;
    std::string_view content_type{};
    std::string_view cache_status{};  ///< the value of the field Cache-Status; empty: there is none
    /// What prepare_fields() made of the others and the same options, or empty: it is made anew.
    std::string_view prepared{};
};

/// What a server does alike for every file.
struct answer_options {
    std::string_view extra_fields{};  ///< extra_fields::text(), for 200, 206, 301 and 304
    std::size_t most_ranges = http::most_ranges;
    bool nosniff = true;     ///< X-Content-Type-Options
    bool keep_alive = true;  ///< another request may follow, if the peer says so, too
};

/// The fields that are alike in all answers with one range of the file or all of it, to be made
/// once. Empty where they would not be: a time in the future is told as the present one.
[[nodiscard]] std::string prepare_fields(const file_facts& facts,
                                         const answer_options& options,
                                         sys_seconds now);

/// The head of an answer, and which bytes of the file follow it. It refers to the buffer and to the
/// facts that it was made of.
///
///     const auto answer = http::answer_file(head, facts, options, http::present(), buffer);
///     send(answer.head, answer.parts);             // the head, and the first part's bytes
///     for (std::size_t i = 1; i < answer.parts.size(); ++i)
///         send(answer.part_head(i, buffer), answer.parts[i]);
///     if (answer.multipart()) send(answer.end(buffer));
struct file_answer {
    status code = status::ok;
    /// Status line, fields and empty line; behind that the first part's head, if there are several,
    /// or the words of an error. Empty if the buffer was too small.
    std::string_view head;
    /// The bytes of the file that follow; none for HEAD, 304 and errors.
    range_list parts;
    std::uint64_t content_length = 0;  ///< as the field of that name says; 0 of a 304
    bool keep_alive = false;           ///< another request may follow

    [[nodiscard]] bool multipart() const noexcept { return parts.size() > 1; }
    /// What comes before the bytes of a part but the first, written into `buffer`, which may be the
    /// one of the head when that has been sent.
    [[nodiscard]] std::string_view part_head(std::size_t part, std::span<char> buffer) const;
    /// What comes behind the bytes of the last of several parts.
    [[nodiscard]] std::string_view end(std::span<char> buffer) const;

    std::uint64_t file_size = 0;
    std::string_view content_type;
    part_boundary boundary;  ///< of several parts
};

/// Bytes of a buffer that hold every head of answer_file and refuse, besides extra_fields,
/// content_type (twice), cache_status and refusal_facts::location.
inline constexpr std::size_t least_buffer = 1024;

/// The answer of RFC 9110 to a request for a file:
///
/// - Other methods than GET and HEAD: 405 with those, or 501 for what HTTP does not know.
/// - Conditions come first: 412 and 304.
/// - GET: 200 with all of it, or 206 with what Range asks for; those that overlap or touch are one,
///   several are multipart/byteranges. 416 tells the size. HEAD has the fields of a GET without
///   Range, and no content.
///
/// The connection goes on if the request lets it; a request with content of its own, which nobody
/// has read, is the last one. Does not allocate for up to 16 ranges.
[[nodiscard]] file_answer answer_file(const request_head& head,
                                      const file_facts& facts,
                                      const answer_options& options,
                                      sys_seconds now,
                                      std::span<char> buffer);

}  // namespace leat::http
