// Runs points and spaces them.
#include "replay/replay_point.hpp"

#include <algorithm>
#include <cmath>

namespace leat::perf {

std::vector<replay_point> replay_points(const trace& of, const std::vector<replay_options>& ways) {
    const std::vector<replay_figures> found = replay_each(of, ways);
    std::vector<replay_point> points;
    for (std::size_t i = 0; i < ways.size(); ++i) points.push_back({ways[i], found[i]});
    return points;
}

std::vector<std::uint64_t> chunk_counts(std::uint64_t most, unsigned count) {
    constexpr std::uint64_t fewest = 4;
    if (most <= fewest || count < 2) return {most};
    const double factor = static_cast<double>(most) / static_cast<double>(fewest);
    std::vector<std::uint64_t> counts;
    for (unsigned i = 0; i < count; ++i) {
        const double share = static_cast<double>(i) / (count - 1);
        counts.push_back(static_cast<std::uint64_t>(
            std::llround(static_cast<double>(fewest) * std::pow(factor, share))));
    }
    counts.back() = most;
    counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
    return counts;
}

}  // namespace leat::perf
