// Writes the head of an answer.
#pragma once

#include "http/http_date.hpp"
#include "http/request_head.hpp"
#include "http/status.hpp"
#include "http/text.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace leat::http {

/// Writes a status line and fields into a buffer, one behind the other, without allocating. What
/// does not fit is left out, and said by overflowed().
///
///     leat::http::head_writer head{buffer};
///     head.status_line(leat::http::status::ok);
///     head.field("Content-Length", size);
///     head.begin("Content-Range").text("bytes */").number(size).end();
///     const std::string_view text = head.finish();
///
/// Values are one line: a control character in them is a programmer's error, which a build with
/// assertions ends at; in others it is written as a blank, so that nothing can be injected.
class head_writer {
public:
    explicit head_writer(std::span<char> buffer) noexcept : buffer_(buffer) {}

    void status_line(status code) noexcept;
    /// The status line and the field Date.
    void begin_answer(status code, sys_seconds now) noexcept;
    /// Says whether the connection goes on, where HTTP of the request's version needs it said.
    void connection(const request_head& request, bool keep_alive) noexcept;
    void field(std::string_view name, std::string_view value) noexcept {
        begin(name).text(value).end();
    }
    void field(std::string_view name, std::uint64_t value) noexcept;
    /// Lines that are well formed, each ended by CRLF: see extra_fields.
    void lines(std::string_view made) noexcept { append(made); }

    /// A field whose value has several pieces.
    head_writer& begin(std::string_view name) noexcept {
        assert(is_token(name));
        append(name);
        append(": ");
        return *this;
    }
    head_writer& text(std::string_view value) noexcept {
        const std::size_t start = size_;
        append(value);
        const auto written = buffer_.subspan(start, size_ - start);
        assert(std::none_of(written.begin(), written.end(), is_control));
        for (char& one : written) one = is_control(one) ? ' ' : one;  // many at once
        return *this;
    }
    /// A piece that has no controls, as the program's own words: it is not looked at.
    head_writer& verbatim(std::string_view clean) noexcept {
        assert(std::none_of(clean.begin(), clean.end(), is_control));
        append(clean);
        return *this;
    }
    head_writer& number(std::uint64_t value) noexcept;
    void end() noexcept { append("\r\n"); }

    /// Writes the empty line behind the fields, and gives the head; nothing if it overflowed.
    [[nodiscard]] std::string_view finish() noexcept;

    /// What finish() gave and what was appended to it.
    [[nodiscard]] std::string_view written() const noexcept;

    /// Appends content behind the head.
    void append(std::string_view bytes) noexcept {
        if (bytes.size() > buffer_.size() - size_) {
            overflowed_ = true;
            return;
        }
        if (bytes.empty()) return;
        std::memcpy(buffer_.data() + size_, bytes.data(), bytes.size());
        size_ += bytes.size();
    }

    /// The buffer behind what was written.
    [[nodiscard]] std::span<char> rest() const noexcept { return buffer_.subspan(size_); }

    [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

private:
    std::span<char> buffer_;
    std::size_t size_ = 0;
    bool overflowed_ = false;
};

}  // namespace leat::http
