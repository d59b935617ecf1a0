// Draws bars as boxes from the axis to their values.
#include "common/bar_plot.hpp"

#include "common/figure.hpp"
#include "common/gnuplot.hpp"
#include "common/svg_element.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace leat::perf {

namespace {

constexpr unsigned bar_height = 28;
constexpr unsigned besides_bars = 70;  ///< the axis and its label
constexpr unsigned plain_bar = 7;      ///< --plot-7

// Room for the value behind the longest bar; large numbers of a logarithmic axis are 10k and 1M.
std::string range_of(const bar_plot& plot) {
    double least = plot.bars.front().value;
    double most = least;
    for (const bar& one : plot.bars) {
        least = std::min(least, one.value);
        most = std::max(most, one.value);
    }
    if (!plot.logarithmic) return fmt::format("set xrange [0:{}]\n", most > 0 ? 1.25 * most : 1);
    const double begin = std::pow(10, std::floor(std::log10(std::max(least, 1e-3)) - 0.2));
    return fmt::format("set logscale x\nset format x '%.0s%c'\nset xrange [{}:{}]\n", begin,
                       most * std::pow(most / begin, 0.25));
}

}  // namespace

std::string draw_bars(const bar_plot& plot, const std::string& id) {
    const std::string box =
        "using 1:2:(x0):1:($2-0.32):($2+0.32) with boxxyerror fillstyle solid 1.0 noborder ";
    curve plain{{}, {}, box + fmt::format("linecolor rgb '{}'", element_colour(plain_bar))};
    curve marked{{}, {}, box + "linetype 1"};
    curve values{{}, {}, "using 1:2:3 with labels left offset 0.6,0 noenhanced"};
    std::string names;
    for (std::size_t row = 0; row < plot.bars.size(); ++row) {
        const bar& one = plot.bars[row];
        names += fmt::format("{}'{}' {}", row == 0 ? "" : ",", one.label, row);
        (one.marked ? marked : plain).data += fmt::format("{} {}\n", one.value, row);
        values.data += fmt::format("{} {} \"{}\"\n", one.value, row, format_short(one.value));
    }
    std::vector<curve> curves;
    for (const curve* const some : {&plain, &marked, &values}) {
        if (!some->data.empty()) curves.push_back(*some);
    }
    const auto rows = static_cast<unsigned>(plot.bars.size());
    return draw(
        {picture_kind::element, plot_width, besides_bars + bar_height * rows, id},
        fmt::format("{}x0 = {}\nset yrange [{}:-0.5]\nset ytics noenhanced ({}) scale 0\n"
                    "set xlabel '{}'\nunset key\nset grid noytics\nset border 2\nset mxtics 1\n",
                    range_of(plot), plot.logarithmic ? "1e-9" : "0",
                    static_cast<double>(rows) - 0.5, names, plot.axis),
        curves);
}

}  // namespace leat::perf
