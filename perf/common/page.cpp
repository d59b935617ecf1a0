// Puts the page of a run together.
#include "common/page.hpp"

#include "common/figure.hpp"
#include "common/figure_sections.hpp"
#include "common/goal_sections.hpp"
#include "common/goals.hpp"
#include "common/html.hpp"
#include "common/page_frame.hpp"
#include "common/plots.hpp"
#include "common/verdict.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <vector>

namespace leat::perf {

namespace {

/// A figure that is told in big letters, and another beside it.
struct headline {
    const char* name;
    const char* label;
    const char* beside;
    const char* beside_label;
};

constexpr headline headlines[]{
    {"hit.hot.ns", "a hit on a hot page", "floor.hot.ns", "the bare lookup"},
    {"hit.uniform.ns", "a random page in memory", "pread.uniform.ns", "pread"},
    {"miss.first_byte.p50_us", "a page not in memory", "raw4k.p50_us", "the bare device"},
    {"scan.gbps", "a cold file, end to end", "fio.gbps", "fio"},
};

std::string quantity(std::string_view name, double value) {
    return fmt::format("{} {}", format_short(value), unit_of(name));
}

std::vector<card> cards_of_run(const run_record& run) {
    std::vector<card> cards;
    for (const headline& one : headlines) {
        const auto value = run.find(one.name);
        if (!value) continue;
        card made{quantity(one.name, *value), one.label, {}};
        if (const auto other = run.find(one.beside))
            made.beside = fmt::format("{}: {}", one.beside_label, quantity(one.beside, *other));
        if (!run.fault_of(one.name).empty())
            made.beside += made.beside.empty() ? "void" : " (void)";
        cards.push_back(std::move(made));
    }
    const std::vector<judged_goal> goals = judge(run);
    const auto count = [&](standing how) {
        return std::count_if(goals.begin(), goals.end(),
                             [how](const judged_goal& one) { return one.how == how; });
    };
    const auto met = count(standing::met);
    const auto missed = count(standing::missed);
    const auto unknown = count(standing::void_result);
    if (met + missed + unknown > 0) {
        cards.push_back({fmt::format("{} of {}", met, met + missed + unknown), "goals met",
                         fmt::format("{} missed, {} void", missed, unknown)});
    }
    return cards;
}

std::string plots_section(const run_record& run) {
    const std::vector<plot> plots = plots_of(run);
    if (plots.empty()) return {};
    const bool drawn =
        std::any_of(plots.begin(), plots.end(), [](const plot& one) { return !one.svg.empty(); });
    if (!drawn) {
        return "<p>The plots are missing, since gnuplot could not be run here. Install it "
               "(<code>apt install gnuplot-nox</code>, <code>dnf install gnuplot-minimal</code>) "
               "and write the page again; all that they show is in the tables below.</p>\n";
    }
    std::string text = "<div class=\"plots\">\n";
    for (const plot& one : plots) {
        if (one.svg.empty()) continue;
        text += fmt::format(
            "<figure>\n<figcaption><strong>{0}</strong> {1}</figcaption>\n"
            "<div role=\"img\" aria-label=\"{0}. {1}\">\n{2}</div>\n</figure>\n",
            escaped(one.title), escaped(one.caption), one.svg);
    }
    return text + "</div>\n";
}

}  // namespace

std::string page_of(const run_record& run) {
    return framed("leat on this machine", machine_line(run), verdict_of(run),
                  cards_of(cards_of_run(run)),
                  {{"goals", "Goals", goals_section(run)},
                   {"next", "What you can do", advice_section(run)},
                   {"plots", "Plots", plots_section(run)},
                   {"figures", "All figures", figure_sections(run)},
                   {"void", "What is void", void_section(run)},
                   circumstances_of(run)});
}

}  // namespace leat::perf
