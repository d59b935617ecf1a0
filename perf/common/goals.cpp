// Parses the table of goals and judges figures by it.
#include "common/goals.hpp"

#include "common/figure.hpp"
#include "goals_text.hpp"

#include <boost/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
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

goals_outcome check_goals(const std::string& json) {
    const boost::json::value all = boost::json::parse(json);
    const boost::json::object& root = all.as_object();
    if (root.at("schema").to_number<int>() != 1)
        throw std::runtime_error("a schema that this leat-bench does not know");
    const auto lookup = [&](const std::string& name) {
        for (const char* const where : {"figures", "ratios"}) {
            const boost::json::value* const found = root.at(where).as_object().if_contains(name);
            if (found != nullptr) return found->to_number<double>();
        }
        return std::nan("");
    };
    goals_outcome outcome;
    for (const goal& one : goals()) {
        const double value = lookup(one.name);
        const bool measured = !std::isnan(value);
        if (!measured && one.if_measured) continue;
        const bool reached = measured && one.reached(value);
        outcome.all_reached = outcome.all_reached && reached;
        outcome.text += fmt::format(
            "{:<36} {:>10}  {:<18} {}\n", one.name, measured ? format_value(value) : "-",
            measured ? one.verdict(value)
                     : fmt::format("not measured {} {}", one.at_least ? ">=" : "<=", one.limit),
            reached ? "" : one.why);
    }
    return outcome;
}

}  // namespace leat::perf
