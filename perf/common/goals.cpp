// Parses the table of goals and judges figures by it.
#include "common/goals.hpp"

#include "common/figure.hpp"
#include "goals_text.hpp"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <sstream>
#include <stdexcept>

namespace leat::perf {

namespace {

constexpr std::string_view if_measured = " if measured";

goal parse_goal(const std::string& line, unsigned number) {
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    goal result;
    bool read = false;
    if (first != std::string::npos && second != std::string::npos) {
        result.name = line.substr(0, first);
        std::string limit = line.substr(first + 1, second - first - 1);
        if (limit.ends_with(if_measured)) {
            result.if_measured = true;
            limit.resize(limit.size() - if_measured.size());
        }
        result.why = line.substr(second + 1);
        result.at_least = limit.starts_with(">= ");
        if (result.at_least || limit.starts_with("<= ")) {
            char* end = nullptr;
            result.limit = std::strtod(limit.c_str() + 3, &end);
            read = *end == '\0';
        }
    }
    if (!read) throw std::runtime_error(fmt::format("goals, line {}: cannot be read", number));
    return result;
}

}  // namespace

std::string goal::verdict(double value) const {
    return fmt::format("{} {} {}", reached(value) ? "reaches" : "MISSES",
                       at_least ? ">=" : "<=", limit);
}

std::string goal::words() const {
    return fmt::format("at {} {}", at_least ? "least" : "most", limit);
}

std::string goal::shortfall(double value) const {
    if (reached(value)) return {};
    const double by = std::abs(value - limit);
    if (limit == 0) return "by " + format_short(by);
    const double share = by / std::abs(limit);
    // "by 730 %" would say little.
    return share > 1 && !at_least ? fmt::format("{} times the limit", format_short(value / limit))
                                  : fmt::format("by {} %", format_short(100 * share));
}

std::vector<goal> parse_goals(std::string_view text) {
    std::vector<goal> all;
    std::istringstream lines{std::string{text}};
    unsigned number = 0;
    for (std::string line; std::getline(lines, line);) {
        if (++number == 1 || line.empty()) continue;
        all.push_back(parse_goal(line, number));
    }
    return all;
}

std::span<const goal> goals() {
    static const std::vector<goal> all = parse_goals(goals_text);
    return all;
}

const goal* find_goal(std::string_view name) {
    for (const goal& one : goals()) {
        if (one.name == name) return &one;
    }
    return nullptr;
}

std::vector<judged_goal> judge(const run_record& run) {
    std::vector<judged_goal> all;
    for (const goal& one : goals()) {
        judged_goal judged{.limit = &one};
        const auto value = run.find(one.name);
        if (!run.fault_of(one.name).empty()) {
            judged.how = standing::void_result;
        } else if (value) {
            judged.how = one.reached(*value) ? standing::met : standing::missed;
            judged.value = *value;
        } else if (one.if_measured) {
            continue;
        }
        all.push_back(judged);
    }
    return all;
}

goals_outcome check_goals(const run_record& run) {
    goals_outcome outcome;
    for (const judged_goal& one : judge(run)) {
        const bool known = one.how == standing::met || one.how == standing::missed;
        const std::string said =
            known
                ? one.limit->verdict(one.value)
                : fmt::format("{} {} {}", one.how == standing::unmeasured ? "not measured" : "void",
                              one.limit->at_least ? ">=" : "<=", one.limit->limit);
        outcome.all_reached = outcome.all_reached && one.how == standing::met;
        std::string line = fmt::format("{:<36} {:>10}  {:<18} {}", one.limit->name,
                                       known ? format_value(one.value) : "-", said,
                                       one.how == standing::met ? "" : one.limit->why);
        line.resize(line.find_last_not_of(' ') + 1);
        outcome.text += line + '\n';
    }
    return outcome;
}

}  // namespace leat::perf
