// Pictures drawn by gnuplot.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace leat::perf {

/// One line of a plot, or the bars of one.
struct curve {
    std::string name;
    std::string data;  ///< lines of "x y", or of "label" y
};

enum class picture_kind : std::uint8_t { svg, png };

/// The picture, or nothing if gnuplot could not draw it. `settings` are lines of a script, `style`
/// is what follows the data of each curve: "with lines".
[[nodiscard]] std::string draw(picture_kind kind,
                               const std::string& settings,
                               const std::vector<curve>& curves,
                               const std::string& style);

}  // namespace leat::perf
