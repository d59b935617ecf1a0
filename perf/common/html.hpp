// Pieces of HTML.
#pragma once

#include <string>
#include <string_view>

namespace leat::perf {

/// Text as HTML has it, in an element or an attribute's double quotes.
[[nodiscard]] std::string escaped(std::string_view text);

/// The name of a figure, which may be broken behind its dots, slashes and lower lines.
[[nodiscard]] std::string name_of_figure(std::string_view name);

/// A text in which what stands between backquotes is code.
[[nodiscard]] std::string prose(std::string_view text);

/// An element that is folded; `summary` and `body` are HTML.
[[nodiscard]] std::string folded(std::string_view summary, std::string_view body);

/// A table, `rows` of HTML, that is moved by itself where it is wider than the page; `label` tells
/// those who cannot see it what it holds.
[[nodiscard]] std::string table(std::string_view label, std::string_view rows);

}  // namespace leat::perf
