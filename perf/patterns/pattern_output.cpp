// Writes the table and the JSON.
#include "patterns/pattern_output.hpp"

#include "common/figure.hpp"
#include "common/goals.hpp"

#include <leat/version.hpp>

#include <boost/json.hpp>
#include <spdlog/fmt/fmt.h>

namespace leat::perf {

namespace {

boost::json::object json_of(const pattern_side& side) {
    const device_model device;
    const replay_figures& found = side.found;
    return {{"requests", found.requests},
            {"hits", side.hits},
            {"bytes_served", found.bytes_served},
            {"reads", found.reads},
            {"bytes_read", found.bytes_read},
            {"read_per_served", found.bytes_read_per_byte()},
            {"mean_read_bytes", found.mean_read_bytes()},
            {"device_s_per_gib", found.device_seconds_per_gib(device)}};
}

boost::json::object json_of(const pattern_outcome& outcome) {
    boost::json::object result{
        {"name", outcome.name}, {"memory", outcome.memory}, {"chunk_size", outcome.chunk_size}};
    if (!outcome.failure.empty()) result["failure"] = outcome.failure;
    for (const pattern_side& side : outcome.sides) result[side.name] = json_of(side);
    return result;
}

}  // namespace

std::string indented(std::string sentence) {
    const std::string next = ":\n    ";
    if (const auto colon = sentence.find(": "); colon != std::string::npos)
        sentence.replace(colon, 2, next);
    return next + sentence + '\n';
}

std::string pattern_header() {
    return fmt::format("{:<14} {:>9} {:>9} {:<7} {:>7} {:>12} {:>14} {:>13}\n", "pattern", "memory",
                       "requests", "by", "hits", "read/served", "mean read KiB", "device s/GiB");
}

std::string rows_of(const pattern_outcome& outcome) {
    const std::string memory = format_size(outcome.memory);
    if (!outcome.failure.empty())
        return fmt::format("{:<14} {:>9} not served{}", outcome.name, memory,
                           indented(outcome.failure));
    const device_model device;
    std::string text;
    for (const pattern_side& side : outcome.sides) {
        const replay_figures& found = side.found;
        const bool first = text.empty();
        text += fmt::format("{:<14} {:>9} {:>9} {:<7} {:>7.4f} {:>12} {:>14} {:>13}\n",
                            first ? outcome.name : "", first ? memory : "",
                            first ? std::to_string(found.requests) : "", side.name, side.hits,
                            format_value(found.bytes_read_per_byte()),
                            format_value(found.mean_read_bytes() / static_cast<double>(KiB)),
                            format_value(found.device_seconds_per_gib(device)));
    }
    return text;
}

std::string goals_text_of(const pattern_figures& figures) {
    std::string text;
    for (const auto& [name, value] : figures) {
        const goal* const limit = find_goal(name);
        if (limit == nullptr) continue;
        text +=
            fmt::format("{:<38} {:>10}  {}\n", name, format_value(value), limit->verdict(value));
    }
    return text;
}

boost::json::object json_of(const pattern_figures& figures, const pattern_options& how) {
    boost::json::object values;
    boost::json::object spreads;
    for (const auto& [name, value] : figures) {
        values[name] = value;
        spreads[name] = 0;  // nothing is timed
    }
    return {{"schema", 1},
            {"leat", library_version()},
            {"machine", boost::json::object{{"void", boost::json::array{}}}},
            {"options", boost::json::object{{"shards", how.engine.shards},
                                            {"memory", how.engine.memory},
                                            {"chunk_size", how.engine.chunk_size},
                                            {"requests", how.requests},
                                            {"quick", how.quick}}},
            {"figures", values},
            {"spread", spreads},
            {"ratios", boost::json::object{}},
            {"series", boost::json::object{}},
            {"histograms", boost::json::object{}}};
}

boost::json::array json_of(const std::vector<pattern_outcome>& outcomes) {
    boost::json::array all;
    for (const pattern_outcome& one : outcomes) all.push_back(json_of(one));
    return all;
}

}  // namespace leat::perf
