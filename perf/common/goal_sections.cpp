// Tells of goals, of what is void, and what to do.
#include "common/goal_sections.hpp"

#include "common/figure_sections.hpp"
#include "common/goals.hpp"
#include "common/html.hpp"
#include "common/workload.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <vector>

namespace leat::perf {

namespace {

/// More rows than this are folded.
constexpr std::size_t most_shown = 8;

/// Begins a sentence by a capital, unless its first word is a name.
std::string sentence_case(std::string text) {
    const std::string word = text.substr(0, text.find(' '));
    const bool plain =
        std::all_of(word.begin(), word.end(), [](char one) { return one >= 'a' && one <= 'z'; });
    if (plain && !word.empty() && word != "leat" && word != "fio")
        text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
}

bool known(standing how) {
    return how == standing::met || how == standing::missed;
}

std::string goal_row(const judged_goal& one) {
    std::string row =
        fmt::format("<tr><th scope=\"row\">{} {}</th>", escaped(sentence_case(one.limit->why)),
                    name_of_figure(one.limit->name));
    if (known(one.how)) {
        row += fmt::format("<td class=\"number\">{}</td>",
                           value_with_unit(one.limit->name, one.value));
    }
    row += fmt::format("<td class=\"number\">{}</td>", one.limit->words());
    if (one.how == standing::missed)
        row += fmt::format("<td class=\"bad\">{}</td>", one.limit->shortfall(one.value));
    return row + "</tr>\n";
}

std::string goal_table(const std::string& label,
                       const std::vector<judged_goal>& goals,
                       standing how) {
    std::string rows;
    for (const judged_goal& one : goals) {
        if (one.how == how) rows += goal_row(one);
    }
    std::string heads = "<th scope=\"col\">Goal</th>";
    if (known(how)) heads += "<th scope=\"col\" class=\"number\">Measured</th>";
    heads += "<th scope=\"col\" class=\"number\">Limit</th>";
    if (how == standing::missed) heads += "<th scope=\"col\">Missed</th>";
    return table(label,
                 fmt::format("<thead>\n<tr>{}</tr>\n</thead>\n<tbody>\n{}</tbody>\n", heads, rows));
}

std::vector<std::string> names_of(const std::vector<judged_goal>& goals, standing how) {
    std::vector<std::string> names;
    for (const judged_goal& one : goals) {
        if (one.how == how) names.push_back(one.limit->name);
    }
    return names;
}

// What the machine keeps from leat.
void add_settings(const run_record& run, std::vector<std::string>& all) {
    const std::string_view buffers = run.property("buffers");
    if (buffers.find("plain") != std::string_view::npos) {
        all.emplace_back(
            "Buffers could not be registered, which costs CPU time with each read: "
            "raise the limit of locked memory (`ulimit -l`, `LimitMEMLOCK=`).");
    }
    if (buffers.find("4 KiB") != std::string_view::npos) {
        all.emplace_back(
            "There were no huge pages, which costs most of the CPU time of large "
            "reads: write `madvise` to "
            "`/sys/kernel/mm/transparent_hugepage/enabled`.");
    }
    if (run.property("backend").starts_with("thread")) {
        all.emplace_back(
            "io_uring was refused, and threads read instead: look at the sysctl "
            "`kernel.io_uring_disabled` and the container's seccomp profile.");
    }
}

}  // namespace

std::string goals_section(const run_record& run) {
    struct group {
        standing how;
        const char* style;
        const char* words;
    };
    constexpr group groups[]{{standing::void_result, "doubtful", "void"},
                             {standing::met, "good", "met"},
                             {standing::unmeasured, "neutral", "not measured"}};
    const std::vector<judged_goal> all = judge(run);
    std::string text = names_of(all, standing::missed).empty()
                           ? std::string{"<p>No goal that could be judged is missed.</p>\n"}
                           : goal_table("Goals that are missed", all, standing::missed);
    for (const group& one : groups) {
        const std::size_t count = names_of(all, one.how).size();
        if (count == 0) continue;
        text += folded(fmt::format("<span class=\"{}\">{} goal{} {}</span>", one.style, count,
                                   count == 1 ? "" : "s", one.words),
                       goal_table(fmt::format("Goals {}", one.words), all, one.how));
    }
    return text;
}

std::string void_section(const run_record& run) {
    if (run.faults.empty()) return {};
    std::string rows;
    for (const auto& [name, why] : run.faults) {
        rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", name_of_figure(name),
                            prose(sentence_case(why) + "."));
    }
    const std::string all =
        table("What is void, and why",
              "<thead>\n<tr><th scope=\"col\">Figure or ratio</th><th scope=\"col\">Why it is void"
              "</th></tr>\n</thead>\n<tbody>\n" +
                  rows + "</tbody>\n");
    const std::size_t count = run.faults.size();
    return count <= most_shown
               ? all
               : folded(fmt::format("All {} figures and ratios that are void", count), all);
}

std::string advice_section(const run_record& run) {
    std::vector<std::string> all;
    if (!run.faults.empty()) {  // never of what is counted
        std::vector<std::string> names;
        for (const auto& fault : run.faults) names.push_back(fault.first);
        all.push_back(
            fmt::format("Measure again what is void, when nothing else uses the machine "
                        "and its disk: `leat-bench{} --rounds 15`.",
                        workloads_of(names)));
    }
    const std::vector<judged_goal> goals = judge(run);
    if (!names_of(goals, standing::unmeasured).empty())
        all.emplace_back("Measure what is missing: `leat-bench all --json all.json`.");
    if (const std::string words = workloads_of(names_of(goals, standing::missed)); !words.empty()) {
        all.push_back(
            fmt::format("See whether what was missed is missed again: "
                        "`leat-bench{} --rounds 15`.",
                        words));
    }
    add_settings(run, all);
    for (const std::string& note : run.notes) all.push_back(sentence_case(note) + '.');
    std::string items;
    for (const std::string& one : all) items += fmt::format("<li>{}</li>\n", prose(one));
    return items.empty() ? items : "<ul>\n" + items + "</ul>\n";
}

}  // namespace leat::perf
