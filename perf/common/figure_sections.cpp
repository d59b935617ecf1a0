// Sorts figures by their definitions.
#include "common/figure_sections.hpp"

#include "common/figure.hpp"
#include "common/goals.hpp"
#include "common/html.hpp"
#include "common/workload.hpp"

#include <spdlog/fmt/fmt.h>

#include <utility>
#include <vector>

namespace leat::perf {

namespace {

constexpr const char* table_heads =
    "<thead>\n<tr><th scope=\"col\">Figure</th><th scope=\"col\" class=\"number\">Median</th>"
    "<th scope=\"col\" class=\"number\">Spread</th><th scope=\"col\">Goal</th></tr>\n</thead>\n";

std::string goal_cell(const run_record& run, const std::string& name, double value) {
    if (!run.fault_of(name).empty()) return "<a class=\"doubtful\" href=\"#void\">void</a>";
    const goal* const limit = find_goal(name);
    if (limit == nullptr) return {};
    if (limit->reached(value))
        return fmt::format("<span class=\"good\">met</span>, {}", limit->words());
    return fmt::format("<span class=\"bad\">missed</span> {}, {}", limit->shortfall(value),
                       limit->words());
}

std::string row_of(const run_record& run, const std::string& name, double value) {
    const auto spread = run.spreads.find(name);
    return fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td class=\"number\">{}</td>"
        "<td>{}</td></tr>\n",
        name_of_figure(name), value_with_unit(name, value),
        spread != run.spreads.end() && spread->second > 0
            ? fmt::format("{:.1f} %", 100 * spread->second)
            : "",
        goal_cell(run, name, value));
}

/// What is shown of a run: its figures and its ratios.
run_record::values all_values(const run_record& run) {
    run_record::values all = run.figures;
    all.insert(all.end(), run.ratios.begin(), run.ratios.end());
    return all;
}

std::string group_of(std::string_view meaning, const std::string& rows) {
    return fmt::format(
        "<tbody>\n<tr class=\"meaning\"><th colspan=\"4\" scope=\"rowgroup\">{}</th></tr>\n{}"
        "</tbody>\n",
        escaped(meaning), rows);
}

std::string section_of(const run_record& run, const workload& of) {
    std::string groups;
    std::size_t missed = 0;
    for (const figure_definition& definition : of.figures) {
        std::string rows;
        for (const auto& [name, value] : all_values(run)) {
            if (of.find(name) != &definition) continue;
            rows += row_of(run, name, value);
            const goal* const limit = find_goal(name);
            missed += limit != nullptr && run.fault_of(name).empty() && !limit->reached(value);
        }
        if (!rows.empty()) groups += group_of(definition.meaning, rows);
    }
    if (groups.empty()) return {};
    const std::string count = missed == 0
                                  ? std::string{}
                                  : fmt::format(" <span class=\"bad\">{} goal{} missed</span>",
                                                missed, missed == 1 ? "" : "s");
    return folded(fmt::format("<h3>{}</h3> {}{}", of.name, escaped(of.measures), count),
                  table("Figures of " + std::string{of.name}, table_heads + groups));
}

}  // namespace

std::string value_with_unit(std::string_view name, double value) {
    const std::string_view unit = unit_of(name);
    return fmt::format("{}{}{}", format_value(value), unit.empty() ? "" : " ", unit);
}

std::string figure_sections(const run_record& run) {
    std::string text;
    for (const workload* const one : workloads()) text += section_of(run, *one);
    std::string unknown;
    for (const auto& [name, value] : all_values(run)) {
        if (workload_of(name) == nullptr) unknown += row_of(run, name, value);
    }
    if (!unknown.empty()) {
        text +=
            folded("<h3>Others</h3> figures that this version does not know",
                   table("Other figures", table_heads + ("<tbody>\n" + unknown + "</tbody>\n")));
    }
    return text;
}

}  // namespace leat::perf
