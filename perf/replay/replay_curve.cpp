// Runs the cache that estimates, and those that it estimates.
#include "replay/replay_curve.hpp"

#include "replay/replay_figures.hpp"

#include <leat/cache/statistics.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace leat::perf {

namespace {

constexpr std::array factors{0.5, 2.0, 4.0};
constexpr std::array named_factors{memory_factor::half, memory_factor::twice,
                                   memory_factor::four_times};

replay_options with_memory(replay_options how, double factor) {
    how.memory = static_cast<std::uint64_t>(factor * static_cast<double>(how.memory));
    how.curve = false;
    return how;
}

double hit_ratio(std::uint64_t late, std::uint64_t pieces) {
    if (pieces == 0) return 0;
    return 1 - std::min(1.0, static_cast<double>(late) / static_cast<double>(pieces));
}

}  // namespace

std::vector<curve_estimate> curve_of(const trace& of, std::span<const replay_options> ways) {
    std::vector<replay_options> runs;
    for (replay_options how : ways) {
        how.curve = true;
        runs.push_back(how);
        for (const double factor : factors) {
            const replay_options other = with_memory(how, factor);
            if (other.memory >= other.chunk_size) runs.push_back(other);
        }
    }
    const std::vector<replay_figures> found = replay_each(of, runs);
    std::vector<curve_estimate> all;
    std::size_t next = 0;
    for (const replay_options& how : ways) {
        const replay_figures& one = found[next++];
        for (std::size_t i = 0; i < factors.size(); ++i) {
            if (with_memory(how, factors[i]).memory < how.chunk_size) continue;
            const replay_figures& other = found[next++];
            all.push_back({how, factors[i], hit_ratio(one.estimates[i], one.pieces),
                           hit_ratio(other.late_pieces, other.pieces)});
        }
    }
    return all;
}

std::vector<curve_estimate> real_curve_of(const trace& of,
                                          const replay_options& how,
                                          const real_options& with) {
    const cache_statistics told = replay_for_real(of, how, with).counted;
    std::vector<curve_estimate> all;
    for (std::size_t i = 0; i < factors.size(); ++i) {
        const replay_options other = with_memory(how, factors[i]);
        if (other.memory < other.chunk_size) continue;
        const cache_statistics there = replay_for_real(of, other, with).counted;
        all.push_back({how, factors[i], told.hit_ratio(named_factors[i]), there.hit_ratio()});
    }
    return all;
}

std::string text_of(const trace& of, const std::vector<curve_estimate>& all) {
    std::string text = fmt::format("{:<10} {:>12} {:>8} {:>10} {:>10} {:>11}   (hit ratios)\n",
                                   "policy", of.of_objects ? "objects" : "memory", "factor",
                                   "estimated", "replayed", "difference");
    for (const curve_estimate& one : all) {
        const std::string memory = of.of_objects ? fmt::format("{}", one.how.memory / object_bytes)
                                                 : format_size(one.how.memory);
        text += fmt::format("{:<10} {:>12} {:>8} {:>10.4f} {:>10.4f} {:>+11.4f}\n",
                            name_of(one.how.policy), memory, one.factor, one.estimated,
                            one.replayed, one.estimated - one.replayed);
    }
    return text;
}

}  // namespace leat::perf
