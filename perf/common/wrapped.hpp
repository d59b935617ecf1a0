// Text in lines that fit a terminal.
#pragma once

#include <string>
#include <string_view>

namespace leat::perf {

/// The words of a text in lines of at most 80 columns, each but the first behind `indent` blanks;
/// no newline at the end. A longer word has a line of its own.
[[nodiscard]] std::string wrapped(std::string_view text, unsigned indent = 0);

}  // namespace leat::perf
