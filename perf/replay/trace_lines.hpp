// The lines of a trace, and what is wrong with them.
#pragma once

#include "replay/trace_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat::perf {

class trace_lines {
public:
    /// Throws as trace_bytes does.
    explicit trace_lines(std::string path);

    /// The next line without its end, valid until the next call; false at the end of the file.
    [[nodiscard]] bool next(std::string_view& line);
    /// Throws std::runtime_error: "FILE:LINE: SENTENCE", of the line that was read last.
    [[noreturn]] void fail(std::string_view sentence) const;
    /// The same of a piece of the line: `"PIECE" is no WHAT`.
    [[noreturn]] void fail_at(std::string_view piece, std::string_view what) const;
    /// A whole number below 2^64, or a failure.
    [[nodiscard]] std::uint64_t number(std::string_view piece, std::string_view what) const;

private:
    void refill();

    trace_bytes bytes_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool ended_ = false;
    std::uint64_t line_ = 0;
};

}  // namespace leat::perf
