// Pictures drawn by gnuplot.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace leat::perf {

/// One line of a plot, or the bars of one.
struct curve {
    std::string name;   ///< none: not in the key
    std::string data;   ///< lines of "x y", or of "label" y
    std::string style;  ///< what follows the data: "with lines"
};

/// What is drawn for: a file by itself, or an element of a page, whose colours are those of
/// page_style.css and follow light and dark with it.
enum class picture_kind : std::uint8_t { svg, png, element };

struct picture {
    picture_kind kind = picture_kind::svg;
    unsigned width = 860;
    unsigned height = 480;
    std::string id{};  ///< of an element: what its parts' names begin with
};

/// Lines differ by dash and mark besides the colour.
inline constexpr unsigned line_kinds = 6;

/// The picture, or nothing if gnuplot could not draw it. `settings` are lines of a script.
[[nodiscard]] std::string draw(const picture& how,
                               const std::string& settings,
                               const std::vector<curve>& curves);

/// Whether there is a gnuplot.
[[nodiscard]] bool can_draw();

}  // namespace leat::perf
