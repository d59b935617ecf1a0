// Cuts lines out of blocks.
#include "replay/trace_lines.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>
#include <stdexcept>
#include <utility>

namespace leat::perf {

namespace {
constexpr std::size_t buffer_bytes = 1024 * 1024;
constexpr std::size_t longest_line = 4096;
// Of a piece in a message.
constexpr std::size_t shown = 40;
}  // namespace

trace_lines::trace_lines(std::string path) : bytes_(std::move(path)), buffer_(buffer_bytes) {}

bool trace_lines::next(std::string_view& line) {
    for (;;) {
        const char* const first = buffer_.data() + begin_;
        const std::size_t left = end_ - begin_;
        const auto* const end = static_cast<const char*>(std::memchr(first, '\n', left));
        if (end == nullptr && !ended_ && left <= longest_line) {
            refill();
            continue;
        }
        if (end == nullptr && left == 0) return false;
        ++line_;
        std::size_t length = end != nullptr ? static_cast<std::size_t>(end - first) : left;
        if (length > longest_line) fail(fmt::format("a line of more than {} bytes", longest_line));
        begin_ += std::min(length + 1, left);
        if (length > 0 && first[length - 1] == '\r') --length;
        line = {first, length};
        return true;
    }
}

void trace_lines::refill() {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const std::size_t count = bytes_.read(std::span{buffer_}.subspan(end_));
    end_ += count;
    ended_ = count == 0;
}

void trace_lines::fail(std::string_view sentence) const {
    throw std::runtime_error(fmt::format("{}:{}: {}", bytes_.path(), line_, sentence));
}

void trace_lines::fail_at(std::string_view piece, std::string_view what) const {
    const bool whole = piece.size() <= shown;
    fail(fmt::format("\"{}{}\" is no {}", piece.substr(0, shown), whole ? "" : "...", what));
}

std::uint64_t trace_lines::number(std::string_view piece, std::string_view what) const {
    std::uint64_t value = 0;
    const char* const end = piece.data() + piece.size();
    const auto [stopped, failure] = std::from_chars(piece.data(), end, value);
    if (failure != std::errc{} || stopped != end) fail_at(piece, what);
    return value;
}

}  // namespace leat::perf
