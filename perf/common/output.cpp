// Writes the report as text, JSON, HTML and plots.
#include "common/output.hpp"

#include "common/figure.hpp"
#include "common/goals.hpp"
#include "common/workload.hpp"
#include "common/wrapped.hpp"

#include <leat/version.hpp>

#include <boost/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace leat::perf {

namespace {

// fio writes percentiles so.
std::string percent_key(double percent) {
    return fmt::format("{:.6f}", percent);
}

boost::json::object json_of(const histogram& ns) {
    boost::json::object percentiles;
    for (const double percent : histogram::percentiles)
        percentiles[percent_key(percent)] = ns.percentile(percent);
    return {{"unit", "ns"},        {"count", ns.count()}, {"min", ns.smallest()},
            {"max", ns.largest()}, {"mean", ns.mean()},   {"percentile", percentiles}};
}

boost::json::object json_of(const bench_options& options) {
    boost::json::array against;
    for (const std::string& rival : options.against) against.emplace_back(rival);
    return {{"file", options.file},
            {"size", options.size},
            {"rounds", options.rounds},
            {"seconds", options.seconds},
            {"minutes", options.minutes},
            {"depth", options.depth},
            {"block_size", options.block},
            {"fixed_buffers", options.fixed_buffers},
            {"random", options.random},
            {"threads", options.threads},
            {"against", against},
            {"shards", options.engine.shards},
            {"memory", options.engine.memory},
            {"chunk_size", options.engine.chunk_size},
            {"spin_us", options.engine.spin.nanoseconds() / std::chrono::microseconds{1}},
            {"pinned", options.engine.pin}};
}

/// Why it is void, and what to do.
std::string with_advice(const std::string& fault, std::string_view name) {
    const workload* const of = workload_of(name);
    return fmt::format(
        "{}: repeat `leat-bench {} --rounds 15` when nothing else uses the machine "
        "and its disk",
        fault, of != nullptr ? of->name : "all");
}

/// What other programs do meanwhile is no matter to what is counted.
bool counted(std::string_view name) {
    const figure_definition* const known = find_definition(name);
    return known != nullptr && known->counted;
}

std::map<std::string, std::string> faults_of(const report& found) {
    std::map<std::string, std::string> all;
    for (const report::figure& one : found.figures()) {
        const std::string fault = report::fault_of(one);
        if (!fault.empty() && !counted(one.name)) all[one.name] = with_advice(fault, one.name);
    }
    for (const report::ratio& one : found.ratios()) {
        const std::string fault = found.fault_of(one);
        if (!fault.empty()) all[one.name] = with_advice(fault, one.name);
    }
    return all;
}

std::string verdict_on(const std::string& name, double value) {
    const goal* const limit = find_goal(name);
    return limit != nullptr ? limit->verdict(value) : std::string{};
}

std::size_t widest_name(const report& found) {
    std::size_t widest = std::string_view{"ratio of medians"}.size();
    for (const report::figure& one : found.figures()) widest = std::max(widest, one.name.size());
    for (const report::ratio& one : found.ratios()) widest = std::max(widest, one.name.size());
    return widest;
}

/// A line without blanks at its end.
std::string trimmed(std::string line) {
    line.resize(line.find_last_not_of(' ') + 1);
    return line + '\n';
}

std::string ratios_of(const report& found, std::size_t width) {
    std::string text;
    std::string faults;
    for (const report::ratio& ratio : found.ratios()) {
        const auto value = found.value_of(ratio);
        const std::string fault = found.fault_of(ratio);
        if (!value && fault.empty()) continue;
        text += trimmed(fmt::format("{:<{}} {:>10}  {}", ratio.name, width,
                                    value ? format_value(*value) : "void",
                                    value ? verdict_on(ratio.name, *value) : ""));
        if (!fault.empty()) faults += wrapped(ratio.name + " is void: " + fault, 4) + '\n';
    }
    if (text.empty()) return {};
    return fmt::format("\nratio of medians\n{}{}{}", text, faults.empty() ? "" : "\n", faults);
}

}  // namespace

std::string table_of(const report& found) {
    const std::size_t width = widest_name(found);
    std::string text =
        fmt::format("{:<{}} {:>10}  {:<8} {:>7}\n", "figure", width, "median", "unit", "spread");
    bool disturbed = false;
    for (const report::figure& figure : found.figures()) {
        const report::summary summary = report::summarize(figure);
        disturbed = disturbed || (summary.disturbed && !counted(figure.name));
        text += trimmed(fmt::format("{:<{}} {:>10}  {:<8} {:>5.1f} %  {}", figure.name, width,
                                    format_value(summary.median), unit_of(figure.name),
                                    100 * summary.spread, verdict_on(figure.name, summary.median)));
    }
    text += ratios_of(found, width);
    std::vector<std::string> names;
    for (const auto& fault : faults_of(found)) names.push_back(fault.first);
    if (!names.empty()) {
        text += '\n' +
                wrapped(fmt::format(
                    "{}Measure again what is void when nothing else uses the machine and its disk: "
                    "`leat-bench{} --rounds 15`.",
                    disturbed ? "Other programs or the host kept the CPUs busy. " : "",
                    workloads_of(names))) +
                '\n';
    }
    for (const std::string& note : found.notes()) text += wrapped("note: " + note, 4) + '\n';
    return text;
}

boost::json::object json_of(const report& found,
                            const bench_options& options,
                            const machine_description& machine) {
    boost::json::object described;
    for (const auto& [name, value] : machine) described[name] = value;
    boost::json::object figures;
    boost::json::object spreads;
    boost::json::object rounds;
    for (const report::figure& figure : found.figures()) {
        const report::summary summary = report::summarize(figure);
        figures[figure.name] = summary.median;
        spreads[figure.name] = summary.spread;
        rounds[figure.name] = summary.rounds;
    }
    boost::json::object ratios;
    for (const report::ratio& ratio : found.ratios()) {
        const auto value = found.value_of(ratio);
        if (!value) continue;
        const report::summary over = *found.find(ratio.over);
        const report::summary under = *found.find(ratio.under);
        ratios[ratio.name] = *value;
        spreads[ratio.name] = over.spread + under.spread;
        rounds[ratio.name] = std::min(over.rounds, under.rounds);
    }
    boost::json::object faults;
    boost::json::array names;
    for (const auto& [name, why] : faults_of(found)) {
        faults[name] = why;
        names.emplace_back(name);
    }
    described["void"] = names;
    boost::json::array notes;
    for (const std::string& note : found.notes()) notes.emplace_back(note);
    boost::json::object series;
    for (const auto& [name, points] : found.series()) {
        boost::json::array all;
        for (const auto& [x, y] : points) all.push_back(boost::json::array{x, y});
        series[name] = all;
    }
    boost::json::object histograms;
    for (const auto& [name, ns] : found.histograms()) histograms[name] = json_of(ns);
    return {{"schema", 1},          {"leat", library_version()},
            {"machine", described}, {"options", json_of(options)},
            {"figures", figures},   {"spread", spreads},
            {"rounds", rounds},     {"ratios", ratios},
            {"void", faults},       {"notes", notes},
            {"series", series},     {"histograms", histograms}};
}

void write_file(const std::string& path, const std::string& text) {
    const std::string unfinished = path + ".part";
    {
        std::ofstream file{unfinished, std::ios::binary | std::ios::trunc};
        file << text;
        file.flush();
        if (!file) throw std::runtime_error(path + " cannot be written");
    }
    std::filesystem::rename(unfinished, path);
}

}  // namespace leat::perf
