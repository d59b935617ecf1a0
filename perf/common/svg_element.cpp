// Replaces what gnuplot writes by what a page can style.
#include "common/svg_element.hpp"

#include <spdlog/fmt/fmt.h>

#include <cstddef>

namespace leat::perf {

namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
}

/// Takes out all that begins and ends so.
void remove_all(std::string& text, std::string_view begin, std::string_view end) {
    for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos;) {
        const std::size_t last = text.find(end, at + begin.size());
        if (last == std::string::npos) return;
        text.erase(at, last + end.size() - at);
    }
}

}  // namespace

std::string element_colour(unsigned number) {
    return fmt::format("#00010{}", number);
}

std::string svg_element(std::string_view svg, const std::string& id) {
    std::string text{svg};
    // A name of a part would show where the pointer rests; names of XML are not HTML's.
    remove_all(text, "<title>", "</title>");
    remove_all(text, "<desc>", "</desc>");
    remove_all(text, "xmlns=\"", "\"");
    remove_all(text, "xmlns:xlink=\"", "\"");
    remove_all(text, "<filter", "</filter>");
    remove_all(text, " font-family=\"", "\"");
    replace_all(text, "xlink:href", "href");
    replace_all(text, "gpPt", id + "-mark");
    replace_all(text, "gpDot", id + "-dot");
    replace_all(text, "gnuplot_canvas", id + "-canvas");
    for (const char quote : {'"', '\''}) {
        for (const std::string_view attribute : {"stroke=", "fill="}) {
            replace_all(text, fmt::format("{}{}black{}", attribute, quote, quote),
                        fmt::format("{}\"currentColor\"", attribute));
            replace_all(text, fmt::format("{}{}gray{}", attribute, quote, quote),
                        fmt::format("{}\"var(--line)\"", attribute));
        }
    }
    for (const std::string_view colour : {"white", "black", "gray"})
        replace_all(text, fmt::format(" color=\"{}\"", colour), "");
    for (unsigned number = 1; number <= 9; ++number) {
        replace_all(text, fmt::format("rgb(  0,   1,   {})", number),
                    fmt::format("var(--plot-{})", number));
    }
    return text;
}

}  // namespace leat::perf
