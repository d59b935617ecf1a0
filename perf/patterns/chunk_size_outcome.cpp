// Serves a pattern once for each size, and compares.
#include "patterns/chunk_size_outcome.hpp"

#include "common/figure.hpp"
#include "patterns/pattern_output.hpp"

#include <boost/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace leat::perf {

namespace {

/// "10 MiB" as part of a figure's name: "10m".
std::string short_size(std::uint64_t bytes) {
    if (bytes >= GiB) return fmt::format("{}g", bytes / GiB);
    return bytes >= MiB ? fmt::format("{}m", bytes / MiB) : fmt::format("{}k", bytes / KiB);
}

}  // namespace

double chunk_size_outcome::ratio(std::size_t size) const noexcept {
    const point& usual = points[usual_chunk_size];
    if (!usual.served() || !points[size].served() || usual.device_s_per_gib == 0) return 0;
    return points[size].device_s_per_gib / usual.device_s_per_gib;
}

double chunk_size_outcome::worst_ratio() const noexcept {
    double worst = 0;
    for (std::size_t i = 0; i < points.size(); ++i) worst = std::max(worst, ratio(i));
    return worst;
}

pattern_figures chunk_size_outcome::figures() const {
    pattern_figures all;
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (!points[i].served()) continue;
        all.emplace_back(figure_name(name, short_size(tried_chunk_sizes[i]) + ".device_s_per_gib"),
                         points[i].device_s_per_gib);
    }
    if (const double worst = worst_ratio(); worst > 0)
        all.emplace_back(figure_name(name, "worst_chunk_size"), worst);
    return all;
}

chunk_size_outcome try_chunk_sizes(const trace& of, const pattern& which, pattern_options how) {
    chunk_size_outcome result;
    result.name = name_of(of, which);
    result.memory = memory_of(which, how);
    for (std::size_t i = 0; i < tried_chunk_sizes.size(); ++i) {
        how.engine.chunk_size = tried_chunk_sizes[i];
        chunk_size_outcome::point& into = result.points[i];
        try {
            into.device_s_per_gib = serve_pattern(of, which, how).device_seconds_per_gib({});
        } catch (const system_error& refused) {
            into.failure = refused.what();
        }
    }
    return result;
}

std::string chunk_size_header() {
    std::string text = fmt::format("{:<14} {:>9}", "device s/GiB", "memory");
    for (const std::uint64_t size : tried_chunk_sizes)
        text += fmt::format(" {:>7} {:<6}", format_size(size), "");
    text.resize(text.find_last_not_of(' ') + 1);
    return text + '\n';
}

std::string row_of(const chunk_size_outcome& outcome) {
    std::string text = fmt::format("{:<14} {:>9}", outcome.name, format_size(outcome.memory));
    for (std::size_t i = 0; i < outcome.points.size(); ++i) {
        const chunk_size_outcome::point& one = outcome.points[i];
        const double ratio = i == usual_chunk_size ? 0 : outcome.ratio(i);
        const int digits = ratio < 100 ? 2 : 0;
        text += fmt::format(" {:>7} {:<6}", one.served() ? format_value(one.device_s_per_gib) : "-",
                            ratio != 0 ? fmt::format("x{:.{}f}", ratio, digits) : "");
    }
    text.resize(text.find_last_not_of(' ') + 1);
    return text + '\n';
}

std::string failures_of(const chunk_size_outcome& outcome) {
    std::string text;
    for (std::size_t i = 0; i < outcome.points.size(); ++i) {
        const chunk_size_outcome::point& one = outcome.points[i];
        if (one.served()) continue;
        text += fmt::format("not served: {}, chunks of {}{}", outcome.name,
                            format_size(tried_chunk_sizes[i]), indented(one.failure));
    }
    return text;
}

boost::json::object json_of(const chunk_size_outcome& outcome) {
    boost::json::array sizes;
    for (std::size_t i = 0; i < outcome.points.size(); ++i) {
        const chunk_size_outcome::point& one = outcome.points[i];
        boost::json::object point{{"chunk_size", tried_chunk_sizes[i]}};
        if (one.served()) {
            point["device_s_per_gib"] = one.device_s_per_gib;
        } else {
            point["failure"] = one.failure;
        }
        sizes.push_back(point);
    }
    return {{"name", outcome.name}, {"memory", outcome.memory}, {"sizes", sizes}};
}

}  // namespace leat::perf
