// Plots of bars that lie, each with its name and value.
#pragma once

#include <string>
#include <vector>

namespace leat::perf {

/// How wide elements of a page are drawn; they are shown as wide as there is room.
inline constexpr unsigned plot_width = 500;

struct bar {
    std::string label;
    double value = 0;
    bool marked = false;  ///< drawn to be seen before the others
};

struct bar_plot {
    std::vector<bar> bars;  ///< from top to bottom
    std::string axis;       ///< what is measured, and its unit
    bool logarithmic = false;
};

/// An SVG element for a page; empty if gnuplot could not draw it.
[[nodiscard]] std::string draw_bars(const bar_plot& plot, const std::string& id);

}  // namespace leat::perf
