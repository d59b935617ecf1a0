// Tries and chooses.
#include "replay/recommendation.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

namespace leat::perf {

namespace {

constexpr std::uint64_t chunk_sizes[]{64 * KiB, 256 * KiB, MiB, 4 * MiB, 10 * MiB, 64 * MiB};
constexpr std::uint64_t least_chunks = 4;
/// From what is tried first to what holds all in the smallest chunks.
constexpr unsigned most_doublings = 11;
/// What a doubling of the memory is to leave of the device's time to be worth it.
constexpr double worth_doubling = 0.9;

}  // namespace

recommendation recommend(const trace& of, const replay_options& how, const device_model& device) {
    std::map<std::uint64_t, std::uint64_t> asked;  // bytes of chunks, by their size
    for (const std::uint64_t chunk_size : chunk_sizes)
        asked[chunk_size] = chunks_asked(of, chunk_size) * chunk_size;
    const std::uint64_t least = asked.begin()->first * least_chunks;
    std::uint64_t memory = std::max(std::bit_ceil(asked.begin()->second) >> most_doublings, least);
    std::vector<replay_point> tried;
    for (;; memory *= 2) {
        std::vector<replay_options> ways;
        for (const std::uint64_t chunk_size : chunk_sizes) {
            if (chunk_size * least_chunks > memory) break;
            ways.push_back(how);
            ways.back().memory = memory;
            ways.back().chunk_size = chunk_size;
        }
        const std::vector<replay_point> points = replay_points(of, ways);
        tried.insert(tried.end(), points.begin(), points.end());
        if (asked[choose(points, device).chunk_size] <= memory) break;
    }
    return choose(std::move(tried), device);
}

recommendation choose(std::vector<replay_point> tried, const device_model& device) {
    const auto seconds = [&](const replay_point* point) {
        return point->found.device_seconds_per_gib(device);
    };
    std::map<std::uint64_t, const replay_point*> best;  // by memory
    for (const replay_point& point : tried) {
        const auto [known, is_new] = best.try_emplace(point.how.memory, &point);
        if (!is_new && seconds(&point) < seconds(known->second)) known->second = &point;
    }
    // A memory is enough if no larger one is worth its doublings: one that saves nothing alone may
    // be on the way to one that holds all.
    const auto enough = [&](const auto& least) {
        return std::all_of(best.begin(), best.end(), [&](const auto& more) {
            if (more.first <= least.first) return true;
            const double doublings =
                std::log2(static_cast<double>(more.first) / static_cast<double>(least.first));
            return seconds(more.second) >=
                   seconds(least.second) * std::pow(worth_doubling, doublings);
        });
    };
    const auto chosen = std::find_if(best.begin(), best.end(), enough);
    recommendation result;
    result.memory = chosen->first;
    result.chunk_size = chosen->second->how.chunk_size;
    result.device_seconds_per_gib = seconds(chosen->second);
    const auto more = std::next(chosen);
    if (more != best.end() && result.device_seconds_per_gib > 0)
        result.saved_by_twice = 1 - seconds(more->second) / result.device_seconds_per_gib;
    result.tried = std::move(tried);
    return result;
}

std::string sentence_of(const recommendation& chosen) {
    std::string text = fmt::format(
        "recommended: chunks of {} and {} of memory: the device works {:.3g} s per GiB served; ",
        format_size(chosen.chunk_size), format_size(chosen.memory), chosen.device_seconds_per_gib);
    if (!chosen.saved_by_twice) return text + "all that is asked for fits";
    const double percent = std::round(100 * *chosen.saved_by_twice);
    if (percent <= 0) return text + "twice the memory would save nothing";
    return text + fmt::format("twice the memory would save only {:.0f} % more", percent);
}

}  // namespace leat::perf
