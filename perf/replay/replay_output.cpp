// Writes the figures of a replay as text, JSON and a plot.
#include "replay/replay_output.hpp"

#include "common/figure.hpp"
#include "common/gnuplot.hpp"
#include "common/output.hpp"

#include <leat/version.hpp>

#include <boost/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string_view>

namespace leat::perf {

namespace {

std::uint64_t bytes_asked(const trace& of) {
    std::uint64_t sum = 0;
    for (const trace_request& one : of.requests) sum += one.size;
    return sum;
}

std::string memory_text(const trace& of, const replay_options& how) {
    return of.of_objects ? fmt::format("{}", how.memory / object_bytes) : format_size(how.memory);
}

std::string counted(std::size_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// Of the requests that count and whose outcome was recorded.
double recorded_hit_ratio(const trace& of, std::size_t first) {
    std::uint64_t hits = 0;
    std::uint64_t all = 0;
    for (std::size_t i = first; i < of.requests.size(); ++i) {
        hits += of.requests[i].outcome == trace_outcome::hit ? 1 : 0;
        all += of.requests[i].outcome != trace_outcome::unknown ? 1 : 0;
    }
    return all == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(all);
}

std::string recorded_text(const trace& of) {
    const recorded_counts& counts = *of.recorded;
    return fmt::format("recorded: hit ratio {:.4f}; {} refused, {} failed, {} lost{}\n",
                       recorded_hit_ratio(of, 0), counts.refused, counts.failed, counts.lost,
                       counts.whole ? "" : "; the recording was not ended");
}

std::string size_text(double bytes) {
    return format_size(static_cast<std::uint64_t>(bytes));
}

}  // namespace

std::string heading_of(const trace& of) {
    const std::string requests = counted(of.requests.size(), "request");
    if (of.of_objects) {
        return fmt::format("trace: {}, {} for {}\n", of.name, requests,
                           counted(of.file_bytes.size(), "object"));
    }
    return fmt::format("trace: {}, {} for {} of {}\n", of.name, requests,
                       format_size(bytes_asked(of)), counted(of.file_bytes.size(), "file")) +
           (of.recorded ? recorded_text(of) : "");
}

std::string details_of(const trace& of, const replay_point& point, const device_model& device) {
    const replay_figures& found = point.found;
    std::string text = fmt::format("policy: {}, ", name_of(point.how.policy));
    text += of.of_objects ? fmt::format("{} objects\n", memory_text(of, point.how))
                          : fmt::format("memory {}, chunks of {}\n", memory_text(of, point.how),
                                        format_size(point.how.chunk_size));
    text += fmt::format("counted: {}{}\n", counted(found.requests, "request"),
                        point.how.second_half ? ", of the second half" : "");
    text += fmt::format("miss ratio {:.4f}\n", found.miss_ratio());
    if (of.recorded) {
        text +=
            fmt::format("hit ratio {:.4f}, recorded: hit ratio {:.4f}\n", 1 - found.miss_ratio(),
                        recorded_hit_ratio(of, first_counted(of, point.how)));
    }
    text += fmt::format("{} loaded: {}\n", of.of_objects ? "objects" : "chunks", found.loads);
    if (of.of_objects) return text;
    text += fmt::format("reads: {}, of {} on average\n", found.reads,
                        size_text(found.mean_read_bytes()));
    text += fmt::format("bytes read: {}, {} a byte served\n", format_size(found.bytes_read),
                        format_value(found.bytes_read_per_byte()));
    return text + fmt::format("device time: {} s, {} s per GiB served\n",
                              format_value(found.device_seconds(device)),
                              format_value(found.device_seconds_per_gib(device)));
}

std::string table_of(const trace& of,
                     const std::vector<replay_point>& points,
                     const device_model& device) {
    std::string text = fmt::format("{:<10} {:>12} {:>10} {:>10}", "policy",
                                   of.of_objects ? "objects" : "memory", "miss ratio", "loads");
    if (!of.of_objects) {
        text += fmt::format(" {:>10} {:>12} {:>13} {:>9}", "reads", "mean read", "read/served",
                            "s/GiB");
    }
    text += '\n';
    for (const replay_point& point : points) {
        const replay_figures& found = point.found;
        text += fmt::format("{:<10} {:>12} {:>10.4f} {:>10}", name_of(point.how.policy),
                            memory_text(of, point.how), found.miss_ratio(), found.loads);
        if (!of.of_objects) {
            text += fmt::format(" {:>10} {:>12} {:>13} {:>9}", found.reads,
                                size_text(found.mean_read_bytes()),
                                format_value(found.bytes_read_per_byte()),
                                format_value(found.device_seconds_per_gib(device)));
        }
        text += '\n';
    }
    return text;
}

std::string grid_of(const trace& of, const std::vector<replay_point>& points) {
    std::vector<cache_policy> policies;
    std::map<std::uint64_t, std::string> lines;  // by memory; the points of one policy are in order
    for (const replay_point& point : points) {
        if (std::find(policies.begin(), policies.end(), point.how.policy) == policies.end())
            policies.push_back(point.how.policy);
        std::string& line = lines[point.how.memory];
        if (line.empty()) line = fmt::format("{:>12}", memory_text(of, point.how));
        line += fmt::format(" {:>9.4f}", point.found.miss_ratio());
    }
    std::string text = fmt::format("{:>12}", of.of_objects ? "objects" : "memory");
    for (const cache_policy one : policies) text += fmt::format(" {:>9}", name_of(one));
    text += "   (miss ratios)\n";
    for (const auto& [memory, line] : lines) text += line + '\n';
    return text;
}

namespace {

boost::json::array json_of(const std::vector<replay_point>& points, const device_model& device) {
    boost::json::array all;
    for (const replay_point& point : points) {
        const replay_figures& found = point.found;
        all.push_back(
            boost::json::object{{"policy", name_of(point.how.policy)},
                                {"memory", point.how.memory},
                                {"chunk_size", point.how.chunk_size},
                                {"chunks", point.how.memory / point.how.chunk_size},
                                {"requests", found.requests},
                                {"missed", found.missed},
                                {"miss_ratio", found.miss_ratio()},
                                {"bytes_served", found.bytes_served},
                                {"loads", found.loads},
                                {"reads", found.reads},
                                {"bytes_read", found.bytes_read},
                                {"mean_read_bytes", found.mean_read_bytes()},
                                {"bytes_read_per_byte", found.bytes_read_per_byte()},
                                {"device_seconds", found.device_seconds(device)},
                                {"device_seconds_per_gib", found.device_seconds_per_gib(device)}});
    }
    return all;
}

}  // namespace

boost::json::object json_of(const trace& of,
                            const std::vector<replay_point>& points,
                            const device_model& device,
                            const recommendation* chosen) {
    const replay_options how = points.empty() ? chosen->tried.front().how : points.front().how;
    boost::json::object all{
        {"schema", 1},
        {"leat", library_version()},
        {"trace", boost::json::object{{"name", of.name},
                                      {"requests", of.requests.size()},
                                      {"files", of.file_bytes.size()},
                                      {"of_objects", of.of_objects},
                                      {"bytes", bytes_asked(of)}}},
        {"options", boost::json::object{{"split", how.split},
                                        {"count", how.second_half ? "second-half" : "all"},
                                        {"read_seconds", device.read_seconds},
                                        {"bytes_per_second", device.bytes_per_second}}},
        {"points", json_of(points, device)}};
    if (of.recorded) {
        all["recorded"] = boost::json::object{{"hit_ratio", recorded_hit_ratio(of, 0)},
                                              {"refused", of.recorded->refused},
                                              {"failed", of.recorded->failed},
                                              {"lost", of.recorded->lost},
                                              {"whole", of.recorded->whole}};
    }
    if (chosen != nullptr) {
        boost::json::object best{{"memory", chosen->memory},
                                 {"chunk_size", chosen->chunk_size},
                                 {"device_seconds_per_gib", chosen->device_seconds_per_gib},
                                 {"tried", json_of(chosen->tried, device)}};
        if (chosen->saved_by_twice) best["saved_by_twice"] = *chosen->saved_by_twice;
        all["recommended"] = best;
    }
    return all;
}

void plot_sweep(const std::string& path, const trace& of, const std::vector<replay_point>& points) {
    std::vector<curve> curves;
    for (const replay_point& point : points) {
        const std::string name{name_of(point.how.policy)};
        if (curves.empty() || curves.back().name != name)
            curves.push_back({name, {}, "with linespoints"});
        const double memory = static_cast<double>(point.how.memory) /
                              static_cast<double>(of.of_objects ? object_bytes : MiB);
        curves.back().data += fmt::format("{} {}\n", memory, point.found.miss_ratio());
    }
    const std::string picture =
        draw({.kind = path.ends_with(".png") ? picture_kind::png : picture_kind::svg},
             fmt::format("set logscale x 2\nset yrange [0:1]\nset ylabel 'miss ratio'\n"
                         "set xlabel '{}'\n",
                         of.of_objects ? "objects in memory" : "memory, MiB"),
             curves);
    if (picture.empty())
        throw std::runtime_error(path + " cannot be drawn by gnuplot: is it installed?");
    write_file(path, picture);
}

}  // namespace leat::perf
