// Writes the report as text, JSON, HTML and plots.
#include "common/output.hpp"

#include "common/figure.hpp"
#include "common/goals.hpp"

#include <leat/version.hpp>

#include <boost/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

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

std::string ratio_line(const report& found, const report::ratio& ratio) {
    const std::string fault = found.fault_of(ratio);
    if (!fault.empty()) return fmt::format("{:<45} {:>12}  {}\n", ratio.name, "void", fault);
    const auto value = found.value_of(ratio);
    if (!value) return {};
    const goal* const limit = find_goal(ratio.name);
    const std::string verdict = limit == nullptr ? std::string{} : limit->verdict(*value);
    return fmt::format("{:<45} {:>12}  {}\n", ratio.name, format_value(*value), verdict);
}

}  // namespace

std::string table_of(const report& found) {
    std::string text =
        fmt::format("{:<45} {:>12}  {:<9} {:>7}\n", "figure", "median", "unit", "spread");
    for (const report::figure& figure : found.figures()) {
        const report::summary summary = report::summarize(figure);
        const goal* const limit = find_goal(figure.name);
        text += fmt::format("{:<45} {:>12}  {:<9} {:>5.1f} %{}{}\n", figure.name,
                            format_value(summary.median), unit_of(figure.name),
                            100 * summary.spread, limit != nullptr ? "  " : "",
                            limit != nullptr ? limit->verdict(summary.median) : std::string{});
    }
    std::string ratios;
    for (const report::ratio& ratio : found.ratios()) ratios += ratio_line(found, ratio);
    if (!ratios.empty()) text += fmt::format("\n{:<45} {:>12}\n{}", "ratio of medians", "", ratios);
    bool disturbed = false;
    for (const report::figure& figure : found.figures())
        disturbed = disturbed || report::summarize(figure).disturbed;
    if (disturbed) {
        text +=
            "\nThe machine was busy with other programs: this run is void. Repeat it when "
            "nothing else runs.\n";
    }
    for (const std::string& note : found.notes()) text += "note: " + note + '\n';
    return text;
}

boost::json::object json_of(const report& found,
                            const bench_options& options,
                            const machine_description& machine) {
    boost::json::object described;
    for (const auto& [name, value] : machine) described[name] = value;
    boost::json::object figures;
    boost::json::object spreads;
    boost::json::array faults;
    for (const report::figure& figure : found.figures()) {
        const report::summary summary = report::summarize(figure);
        figures[figure.name] = summary.median;
        spreads[figure.name] = summary.spread;
        if (summary.disturbed) faults.emplace_back(figure.name);
    }
    boost::json::object ratios;
    for (const report::ratio& ratio : found.ratios()) {
        if (const auto value = found.value_of(ratio)) ratios[ratio.name] = *value;
        if (!found.fault_of(ratio).empty()) faults.emplace_back(ratio.name);
    }
    described["void"] = faults;
    boost::json::object series;
    for (const auto& [name, points] : found.series()) {
        boost::json::array all;
        for (const auto& [x, y] : points) all.push_back(boost::json::array{x, y});
        series[name] = all;
    }
    boost::json::object histograms;
    for (const auto& [name, ns] : found.histograms()) histograms[name] = json_of(ns);
    return {{"schema", 1},
            {"leat", library_version()},
            {"machine", described},
            {"options", json_of(options)},
            {"figures", figures},
            {"spread", spreads},
            {"ratios", ratios},
            {"series", series},
            {"histograms", histograms}};
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
