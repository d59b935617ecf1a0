// Status lines, numbers and ends.
#include "http/head_writer.hpp"

#include <charconv>

namespace leat::http {

void head_writer::status_line(status code) noexcept {
    append("HTTP/1.1 ");
    number(code_of(code));
    append(" ");
    append(reason_of(code));
    append("\r\n");
}

void head_writer::begin_answer(status code, sys_seconds now) noexcept {
    status_line(code);
    begin("Date").verbatim(date_text(now)).end();
}

void head_writer::connection(const request_head& request, bool keep_alive) noexcept {
    if (!keep_alive) {
        field("Connection", "close");
    } else if (request.minor_version == 0) {
        field("Connection", "keep-alive");
    }
}

void head_writer::field(std::string_view name, std::uint64_t value) noexcept {
    begin(name).number(value).end();
}

head_writer& head_writer::number(std::uint64_t value) noexcept {
    char* const end = buffer_.data() + buffer_.size();
    const auto made = std::to_chars(buffer_.data() + size_, end, value);
    if (made.ec == std::errc{}) {
        size_ = static_cast<std::size_t>(made.ptr - buffer_.data());
    } else {
        overflowed_ = true;
    }
    return *this;
}

std::string_view head_writer::finish() noexcept {
    append("\r\n");
    return written();
}

std::string_view head_writer::written() const noexcept {
    if (overflowed_) return {};
    return {buffer_.data(), size_};
}

}  // namespace leat::http
