// Runs leat, simulates the others, and derives the figures.
#include "patterns/pattern_outcome.hpp"

#include "patterns/pattern_run.hpp"
#include "replay/made_up_trace.hpp"
#include "replay/read_trace.hpp"
#include "replay/replay.hpp"

#include <leat/cache/chunk_config.hpp>
#include <leat/engine/error.hpp>

#include <CLI/CLI.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <future>
#include <utility>

namespace leat::perf {

namespace {

double leat_hits(const replay_figures& found) {
    if (found.pieces == 0) return 0;
    return 1 - static_cast<double>(found.late_pieces) / static_cast<double>(found.pieces);
}

/// Those beside leat.
std::vector<pattern_side> others(const trace& of, const pattern_outcome& beside) {
    replay_options pieces{.memory = beside.memory, .chunk_size = 64 * KiB, .second_half = true};
    if (!beside.of_trace) {
        pieces.policy = cache_policy::lru;
        pieces.chunk_size = unit_size;
    }
    replay_options chunks = pieces;
    chunks.chunk_size = beside.chunk_size;
    std::vector<pattern_side> sides{{beside.of_trace ? "pieces" : "pages", {}, 0}};
    std::vector<replay_options> ways{pieces};
    // Memory that is too little for a chunk keeps none.
    if (chunks.memory >= chunks.chunk_size) {
        sides.push_back({"chunks", {}, 0});
        ways.push_back(chunks);
    }
    const std::vector<replay_figures> found = replay_each(of, ways);
    for (std::size_t i = 0; i < sides.size(); ++i) {
        sides[i].found = found[i];
        sides[i].hits = 1 - found[i].miss_ratio();
    }
    return sides;
}

}  // namespace

std::string figure_name(std::string_view name, std::string_view figure) {
    return fmt::format("patterns.{}.{}", name, figure);
}

double pattern_outcome::device_over_best() const {
    double best = 0;
    for (std::size_t i = of_trace ? 1 : 2; i < sides.size(); ++i) {
        const double other = sides[i].found.device_seconds_per_gib({});
        best = best == 0 ? other : std::min(best, other);
    }
    return best == 0 ? 0 : sides.front().found.device_seconds_per_gib({}) / best;
}

pattern_figures pattern_outcome::figures() const {
    pattern_figures all;
    if (sides.empty()) return all;
    const auto add = [&](std::string_view figure, double value) {
        all.emplace_back(figure_name(name, figure), value);
    };
    const pattern_side& own = sides.front();
    add("hits", own.hits);
    add("read_per_served", own.found.bytes_read_per_byte());
    add("mean_read_kib", own.found.mean_read_bytes() / static_cast<double>(KiB));
    add("device_s_per_gib", own.found.device_seconds_per_gib({}));
    if (sides.size() > 1 && !of_trace) add("hits_beyond_pages", own.hits - sides[1].hits);
    if (const double over = device_over_best(); over > 0)
        add(of_trace ? "device_over_pure" : "device_over_chunks", over);
    return all;
}

std::string name_of(const trace& of, const pattern& which) {
    if (!which.name.empty()) return std::string{which.name};
    return of.name.substr(0, of.name.find('.'));
}

trace trace_of(const pattern& which, const pattern_options& how) {
    const std::uint64_t usual = how.quick ? which.quick_requests : which.requests;
    return make_trace({.workload = std::string{which.workload},
                       .requests = how.requests != 0 ? how.requests : usual});
}

trace trace_of(const std::string& path, const pattern_options& how) {
    trace of = read_trace(path);
    if (of.of_objects) {
        throw CLI::ValidationError(
            "TRACE", '"' + path +
                         "\" has objects without a size; give a trace of bytes, such as an .io.csv "
                         "or a recording");
    }
    if (how.requests != 0 && how.requests < of.requests.size()) of.requests.resize(how.requests);
    return of;
}

replay_figures serve_pattern(const trace& of, const pattern& which, const pattern_options& how) {
    pattern_way way{how.engine, which.clients, which.by, which.given};
    way.engine.memory = memory_of(which, how);
    return run_pattern(of, way);
}

pattern_outcome compare_pattern(const trace& of, const pattern& which, const pattern_options& how) {
    pattern_outcome result;
    result.name = name_of(of, which);
    result.of_trace = which.workload.empty();
    result.memory = memory_of(which, how);
    result.chunk_size = how.engine.chunk_size;
    // They are simulated meanwhile: nothing is timed.
    auto rivals =
        std::async(std::launch::async, [&of, beside = result] { return others(of, beside); });
    try {
        const replay_figures found = serve_pattern(of, which, how);
        result.sides.push_back({"leat", found, leat_hits(found)});
    } catch (const system_error& refused) {
        result.failure = refused.what();
        return result;
    }
    for (pattern_side& one : rivals.get()) result.sides.push_back(std::move(one));
    return result;
}

}  // namespace leat::perf
