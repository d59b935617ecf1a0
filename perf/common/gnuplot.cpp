// Writes the scripts that gnuplot draws.
#include "common/gnuplot.hpp"

#include "common/child.hpp"

#include <spdlog/fmt/fmt.h>

#include <cstddef>

namespace leat::perf {

std::string draw(picture_kind kind,
                 const std::string& settings,
                 const std::vector<curve>& curves,
                 const std::string& style) {
    const bool svg = kind == picture_kind::svg;
    std::string script = fmt::format(
        "set terminal {} size 860,480 font 'sans-serif,{}' background '#ffffff'\n"
        "set grid\nset key outside right noenhanced\n{}",
        svg ? "svg" : "pngcairo", svg ? 13 : 11, settings);
    std::string plots;
    for (std::size_t i = 0; i < curves.size(); ++i) {
        script += fmt::format("$data{} << end\n{}end\n", i, curves[i].data);
        plots +=
            fmt::format("{}$data{} {} title '{}'", i == 0 ? "" : ", ", i, style, curves[i].name);
    }
    const child_output drawn = run_child({"gnuplot", "-"}, script + "plot " + plots + '\n');
    if (!drawn.good()) return {};
    if (!svg) return drawn.text;
    const std::size_t begin = drawn.text.find("<svg");
    return begin == std::string::npos ? std::string{} : drawn.text.substr(begin);
}

}  // namespace leat::perf
