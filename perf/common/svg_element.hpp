// A drawing of gnuplot as an element of a page.
#pragma once

#include <string>
#include <string_view>

namespace leat::perf {

/// What a script calls the colour --plot-N of page_style.css, N from 1 to 9.
[[nodiscard]] std::string element_colour(unsigned number);

/// The drawing without what only a file needs, in the page's colours, and with `id` before the
/// names of its parts: a page has several.
[[nodiscard]] std::string svg_element(std::string_view svg, const std::string& id);

}  // namespace leat::perf
