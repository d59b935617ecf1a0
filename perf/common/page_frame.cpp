// Writes head, contents and sections.
#include "common/page_frame.hpp"

#include "common/html.hpp"
#include "common/page_style.hpp"

#include <spdlog/fmt/fmt.h>

namespace leat::perf {

namespace {

std::string rows_of(const run_record::texts& properties) {
    std::string rows;
    for (const auto& [name, value] : properties) {
        rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", name_of_figure(name),
                            escaped(value));
    }
    return "<tbody>\n" + rows + "</tbody>\n";
}

}  // namespace

std::string cards_of(const std::vector<card>& cards) {
    if (cards.empty()) return {};
    std::string text = "<ul class=\"cards\">\n";
    for (const card& one : cards) {
        text += fmt::format("<li><strong>{}</strong> <span>{}</span>", escaped(one.value),
                            escaped(one.label));
        if (!one.beside.empty()) text += fmt::format(" <small>{}</small>", escaped(one.beside));
        text += "</li>\n";
    }
    return text + "</ul>\n";
}

std::string machine_line(const run_record& run) {
    std::string line{run.property("cpu")};
    const auto add = [&line](std::string_view before, std::string_view value,
                             std::string_view after) {
        if (value.empty() || value == "unknown") return;
        line += fmt::format("{}{}{}{}", line.empty() ? "" : ", ", before, value, after);
    };
    add("", run.property("cpus"), run.property("cpus") == "1" ? " CPU" : " CPUs");
    add("Linux ", run.property("kernel"), "");
    add("disk ", run.property("device"), "");
    add("", run.property("file_system"), "");
    add("leat ", run.version, "");
    add("", run.property("date"), "");
    return line;
}

page_section circumstances_of(const run_record& run) {
    std::string body;
    if (!run.machine.empty())
        body += folded("The machine", table("The machine", rows_of(run.machine)));
    body += folded("Options of the run", table("Options of the run", rows_of(run.options)));
    return {"circumstances", "How this was measured",
            "<p>leat and its rivals took turns, in rounds. A figure is the median of its rounds, "
            "its spread the distance between their quartiles over it. Ratios are those of medians "
            "of one run.</p>\n" +
                body};
}

std::string framed(const std::string& title,
                   const std::string& subtitle,
                   const std::string& verdict,
                   const std::string& lead,
                   const std::vector<page_section>& sections) {
    // Whatever a name in it holds, the page may load nothing.
    std::string text = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'\">\n<title>{0}</title>\n<style>\n{1}</style>\n</head>\n<body>\n"
        "<header>\n<h1>{0}</h1>\n<p class=\"subtitle\">{2}</p>\n<p class=\"verdict\">{3}</p>\n"
        "</header>\n{4}<nav aria-label=\"Contents\">\n<ul>\n",
        escaped(title), apps::page_style(), escaped(subtitle), prose(verdict), lead);
    std::string body;
    for (const page_section& one : sections) {
        if (one.body.empty()) continue;
        text += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", one.id, escaped(one.title));
        body += fmt::format(
            "<section aria-labelledby=\"{0}\">\n<h2 id=\"{0}\">{1}</h2>\n{2}"
            "</section>\n",
            one.id, escaped(one.title), one.body);
    }
    return text + "</ul>\n</nav>\n<main>\n" + body + "</main>\n</body>\n</html>\n";
}

}  // namespace leat::perf
