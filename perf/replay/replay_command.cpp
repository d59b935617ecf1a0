// Chooses between one replay, several, a sweep, a recommendation and the real thing.
#include "replay/replay_command.hpp"

#include "common/figure.hpp"
#include "common/output.hpp"
#include "replay/made_up_trace.hpp"
#include "replay/read_trace.hpp"
#include "replay/real_replay.hpp"
#include "replay/recommendation.hpp"
#include "replay/replay_curve.hpp"
#include "replay/replay_output.hpp"
#include "replay/replay_point.hpp"

#include <leat/engine/options.hpp>

#include <boost/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace leat::perf {

namespace {

trace trace_of(const replay_arguments& given) {
    if (given.trace.empty()) return make_trace(given.made_up);
    trace of = read_trace(given.trace);
    if (!of.of_objects) return of;
    if (!given.sized.empty()) {
        throw CLI::ValidationError(
            given.sized, "the objects of an .ids trace have no size; --capacity says how many fit");
    }
    if (given.capacities.empty() && !given.sweep)
        throw CLI::ValidationError("--capacity", "how many objects fit is to be given, or --sweep");
    return of;
}

/// The options that do not vary.
replay_options common_options(const trace& of, const replay_arguments& given) {
    replay_options how;
    how.memory = given.engine.memory;
    how.chunk_size = of.of_objects ? object_bytes : given.engine.chunk_size;
    how.split = given.split;
    how.second_half = given.second_half;
    check_chunk_size(how.chunk_size);
    return how;
}

std::vector<cache_policy> policies_of(const replay_arguments& given) {
    if (!given.policies.empty()) return given.policies;
    if (given.sweep) return {cache_policies.begin(), cache_policies.end()};
    return {replay_options{}.policy};
}

std::vector<std::uint64_t> memories_of(const trace& of,
                                       const replay_arguments& given,
                                       const replay_options& how) {
    std::vector<std::uint64_t> chunks = given.capacities;
    if (given.sweep) chunks = chunk_counts(chunks_asked(of, how.chunk_size), given.points);
    if (chunks.empty()) return {how.memory};
    for (std::uint64_t& one : chunks) one *= how.chunk_size;
    return chunks;
}

std::vector<replay_options> ways_of(const trace& of,
                                    const replay_arguments& given,
                                    const replay_options& how) {
    const std::vector<std::uint64_t> memories = memories_of(of, given, how);
    std::vector<replay_options> ways;
    for (const cache_policy policy : policies_of(given)) {
        for (const std::uint64_t memory : memories) {
            ways.push_back(how);
            ways.back().policy = policy;
            ways.back().memory = memory;
        }
    }
    return ways;
}

/// The policy that a recommendation is for: the default one, unless others were asked for.
recommendation recommended(const trace& of, const replay_arguments& given, replay_options how) {
    const std::vector<cache_policy>& chosen = given.policies;
    if (!chosen.empty() && std::find(chosen.begin(), chosen.end(), how.policy) == chosen.end())
        how.policy = chosen.front();
    return recommend(of, how, given.device);
}

replay_point real_point(const trace& of, const replay_arguments& given, replay_options how) {
    const real_outcome outcome =
        replay_for_real(of, how, {given.real, given.clients, given.engine});
    fmt::print("for real: {}, {} {}\n", given.real, given.clients,
               given.clients == 1 ? "client" : "clients");
    if (outcome.places_shared)
        fmt::print("note: the trace's files are more than {} holds: some share places in it\n",
                   given.real);
    fmt::print("{}wall time: {} s\n", details_of(of, {how, outcome.found}, given.device),
               format_value(outcome.seconds));
    return {how, outcome.found};
}

}  // namespace

void run_replay(const replay_arguments& given) {
    const trace of = trace_of(given);
    const replay_options how = common_options(of, given);
    fmt::print("{}", heading_of(of));
    std::vector<replay_point> points;
    std::optional<recommendation> chosen;
    const std::vector<replay_options> ways = ways_of(of, given, how);
    if (given.curve) {
        const real_options with{given.real, given.clients, given.engine};
        fmt::print("{}", text_of(of, given.real.empty() ? curve_of(of, ways)
                                                        : real_curve_of(of, ways.front(), with)));
        return;
    }
    if (!given.real.empty()) {
        points = {real_point(of, given, ways.front())};
    } else if (given.sweep) {
        points = replay_points(of, ways);
        fmt::print("{}", grid_of(of, points));
    } else if (!given.recommend) {
        points = replay_points(of, ways);
        fmt::print("{}", points.size() == 1 ? details_of(of, points.front(), given.device)
                                            : table_of(of, points, given.device));
    }
    if (!given.plot.empty()) plot_sweep(given.plot, of, points);
    if (given.recommend || (given.sweep && !of.of_objects)) {
        chosen = recommended(of, given, how);
        fmt::print("{}\n", sentence_of(*chosen));
    }
    if (!given.json.empty()) {
        write_file(given.json, boost::json::serialize(
                                   json_of(of, points, given.device, chosen ? &*chosen : nullptr)) +
                                   '\n');
    }
}

}  // namespace leat::perf
