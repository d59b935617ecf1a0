// Compares values by their spreads.
#include "common/comparison.hpp"

#include "common/figure.hpp"
#include "common/report.hpp"
#include "common/workload.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

namespace leat::perf {

namespace {

double spread_of(const run_record& run, std::string_view name) {
    const figure_definition* const known = find_definition(name);
    if (known != nullptr && known->counted) return 0;
    const auto spread = run.spreads.find(name);
    if (spread == run.spreads.end()) return report::widest_spread;
    const auto rounds = run.rounds.find(name);
    const bool few = rounds != run.rounds.end() && rounds->second < report::least_rounds;
    return few ? std::max(spread->second, report::widest_spread) : spread->second;
}

tendency tendency_of(std::string_view name, bool grown) {
    const figure_definition* const known = find_definition(name);
    const preference better = known != nullptr ? known->better : preference::by_unit;
    const std::string_view unit = unit_of(name);
    bool more_is_better = better == preference::more;
    if (better == preference::by_unit) {
        if (unit.empty()) return tendency::neither;
        more_is_better = unit == "GB/s" || unit == "1/s";
    }
    return grown == more_is_better ? tendency::better : tendency::worse;
}

void compare_values(const run_record& newer,
                    const run_record& older,
                    const run_record::values& values,
                    comparison& into) {
    for (const auto& [name, value] : values) {
        const auto before = older.find(name);
        const bool trusted = newer.fault_of(name).empty() && older.fault_of(name).empty();
        if (!before || !trusted) {
            ++into.not_compared;
            continue;
        }
        const double allowed =
            spread_of(newer, name) * std::abs(value) + spread_of(older, name) * std::abs(*before);
        if (value == *before || std::abs(value - *before) <= allowed) {
            ++into.unchanged;
            continue;
        }
        into.changes.push_back({name, *before, value,
                                *before == 0 ? 0 : allowed / std::abs(*before),
                                tendency_of(name, value > *before)});
    }
}

/// Those that only the older run has.
std::size_t count_gone(const run_record& newer, const run_record::values& older) {
    return static_cast<std::size_t>(std::count_if(
        older.begin(), older.end(), [&](const auto& one) { return !newer.find(one.first); }));
}

void add_differences(const run_record::texts& newer,
                     const run_record::texts& older,
                     comparison& into) {
    for (const auto& [name, value] : newer) {
        const auto before = std::find_if(older.begin(), older.end(),
                                         [&](const auto& one) { return one.first == name; });
        const std::string text = before != older.end() ? before->second : "not told";
        if (text != value && name != "date") into.differences.push_back({name, text, value});
    }
}

}  // namespace

std::size_t comparison::count(tendency how) const noexcept {
    return static_cast<std::size_t>(std::count_if(
        changes.begin(), changes.end(), [how](const change& one) { return one.how == how; }));
}

comparison compare_runs(const run_record& newer, const run_record& older) {
    comparison result;
    compare_values(newer, older, newer.ratios, result);
    compare_values(newer, older, newer.figures, result);
    result.not_compared += count_gone(newer, older.ratios) + count_gone(newer, older.figures);
    if (newer.version != older.version)
        result.differences.push_back({"leat", older.version, newer.version});
    add_differences(newer.machine, older.machine, result);
    add_differences(newer.options, older.options, result);
    return result;
}

std::string sentence_of(const comparison& compared) {
    const auto are = [](std::size_t count) { return count == 1 ? "is" : "are"; };
    std::string text =
        fmt::format("Of {} figures and ratios ",
                    compared.changes.size() + compared.unchanged + compared.not_compared);
    if (compared.changes.empty()) {
        text += "none has changed beyond its spread";
    } else {
        const std::size_t better = compared.count(tendency::better);
        const std::size_t worse = compared.count(tendency::worse);
        const std::size_t other = compared.count(tendency::neither);
        text += fmt::format("{} {} better beyond the spread, {} {} worse", better, are(better),
                            worse, are(worse));
        if (other > 0)
            text += fmt::format(", {} {} other, neither better nor worse", other, are(other));
    }
    text += fmt::format("; {} {} within it", compared.unchanged, are(compared.unchanged));
    if (compared.not_compared > 0) {
        text += fmt::format(", and {} cannot be compared: void, or in one run only",
                            compared.not_compared);
    }
    return text + '.';
}

}  // namespace leat::perf
