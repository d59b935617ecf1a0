// Writes the scripts that gnuplot draws.
#include "common/gnuplot.hpp"

#include "common/child.hpp"
#include "common/svg_element.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <cstddef>

namespace leat::perf {

namespace {

/// Of Okabe and Ito's palette for those who are blind to some colours, the darker ones.
struct line_kind {
    const char* colour;
    const char* dash;
    unsigned mark;
};
constexpr std::array<line_kind, line_kinds> kinds{{
    {"#0072b2", "solid", 7},
    {"#d55e00", "'-'", 5},
    {"#009e73", "'.'", 9},
    {"#cc79a7", "'-.'", 13},
    {"#000000", "'_'", 4},
    {"#e69f00", "'_.'", 6},
}};

std::string line_types(picture_kind kind) {
    std::string text;
    for (unsigned i = 0; i < kinds.size(); ++i) {
        text += fmt::format(
            "set linetype {} linecolor rgb '{}' dashtype {} pointtype {} pointsize 0.7 "
            "linewidth 2\n",
            i + 1, kind == picture_kind::element ? element_colour(i + 1) : kinds[i].colour,
            kinds[i].dash, kinds[i].mark);
    }
    return text;
}

std::string terminal(const picture& how) {
    switch (how.kind) {
        case picture_kind::svg:
            return "svg font 'sans-serif,13' background '#ffffff'";
        case picture_kind::png:
            return "pngcairo font 'sans-serif,11' background '#ffffff'";
        case picture_kind::element:
            return fmt::format("svg font 'sans-serif,13' name '{}'", how.id);
    }
    return {};
}

}  // namespace

std::string draw(const picture& how,
                 const std::string& settings,
                 const std::vector<curve>& curves) {
    std::string script = fmt::format(
        "set terminal {} size {},{}\n{}set grid\nset border 3\nset tics nomirror\n"
        "set format '%.7g'\n"
        "set key above left horizontal Left reverse noenhanced\n{}",
        terminal(how), how.width, how.height, line_types(how.kind), settings);
    std::string plots;
    for (std::size_t i = 0; i < curves.size(); ++i) {
        const curve& one = curves[i];
        script += fmt::format("$data{} << end\n{}end\n", i, one.data);
        const std::string title =
            one.name.empty() ? "notitle" : fmt::format("title '{}'", one.name);
        plots += fmt::format("{}$data{} {} {}", i == 0 ? "" : ", ", i, one.style, title);
    }
    const child_output drawn = run_child({"gnuplot", "-"}, script + "plot " + plots + '\n');
    if (!drawn.good()) return {};
    if (how.kind == picture_kind::png) return drawn.text;
    const std::size_t begin = drawn.text.find("<svg");
    if (begin == std::string::npos) return {};
    const std::string svg = drawn.text.substr(begin);
    return how.kind == picture_kind::element ? svg_element(svg, how.id) : svg;
}

bool can_draw() {
    return run_child({"gnuplot", "--version"}).good();
}

}  // namespace leat::perf
