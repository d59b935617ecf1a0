// Puts the page of two runs together.
#include "common/comparison.hpp"
#include "common/figure_sections.hpp"
#include "common/html.hpp"
#include "common/page.hpp"
#include "common/page_frame.hpp"
#include "common/workload.hpp"

#include <spdlog/fmt/fmt.h>

namespace leat::perf {

namespace {

std::string row_of(const change& one) {
    const figure_definition* const known = find_definition(one.name);
    const char* const kind = one.how == tendency::better  ? "good"
                             : one.how == tendency::worse ? "bad"
                                                          : "neutral";
    const std::string meaning = known == nullptr ? std::string{}
                                                 : fmt::format(
                                                       "<tr class=\"meaning\"><th colspan=\"4\" "
                                                       "scope=\"rowgroup\">{}</th></tr>\n",
                                                       escaped(known->meaning));
    return fmt::format(
        "<tbody>\n{}<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td>"
        "<td class=\"number\">{}</td><td class=\"number {}\">{} <small>{}</small></td>"
        "</tr>\n</tbody>\n",
        meaning, name_of_figure(one.name), value_with_unit(one.name, one.older),
        value_with_unit(one.name, one.newer), kind,
        one.older == 0 ? "from 0" : fmt::format("{:+.1f} %", 100 * one.share()),
        one.spread > 0 ? fmt::format("spread {:.1f} %", 100 * one.spread) : "counted");
}

std::string changes_of(const comparison& compared, tendency how, const std::string& label) {
    std::string rows;
    for (const change& one : compared.changes) {
        if (one.how == how) rows += row_of(one);
    }
    if (rows.empty()) return {};
    return table(label,
                 "<thead>\n<tr><th scope=\"col\">Figure or ratio</th><th scope=\"col\" "
                 "class=\"number\">Older</th><th scope=\"col\" class=\"number\">Newer</th><th "
                 "scope=\"col\" class=\"number\">Change</th></tr>\n</thead>\n" +
                     rows);
}

std::string differences_of(const comparison& compared) {
    std::string rows;
    for (const comparison::difference& one : compared.differences) {
        rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>\n",
                            name_of_figure(one.name), escaped(one.older), escaped(one.newer));
    }
    if (rows.empty()) return {};
    return "<p>What is measured on another machine, or with other options, differs for that "
           "reason, too.</p>\n" +
           table("What else differs",
                 "<thead>\n<tr><th scope=\"col\">Property</th><th scope=\"col\">Older</th><th "
                 "scope=\"col\">Newer</th></tr>\n</thead>\n<tbody>\n" +
                     rows + "</tbody>\n");
}

}  // namespace

std::string page_of(const run_record& newer, const run_record& older) {
    const comparison compared = compare_runs(newer, older);
    std::vector<card> cards;
    const auto add = [&](tendency how, const char* label) {
        if (const std::size_t count = compared.count(how); count > 0)
            cards.push_back({fmt::format("{}", count), label, {}});
    };
    add(tendency::worse, "worse");
    add(tendency::better, "better");
    add(tendency::neither, "other, neither better nor worse");
    return framed("leat, two runs compared", machine_line(newer), sentence_of(compared),
                  cards_of(cards),
                  {{"worse", "Worse", changes_of(compared, tendency::worse, "What is worse")},
                   {"better", "Better", changes_of(compared, tendency::better, "What is better")},
                   {"other", "Other", changes_of(compared, tendency::neither, "What is other")},
                   {"differences", "What else differs", differences_of(compared)}});
}

}  // namespace leat::perf
