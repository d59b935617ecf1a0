// What a cache estimates of other memories while it runs, beside what it does with them.
#pragma once

#include "replay/real_replay.hpp"
#include "replay/replay.hpp"
#include "replay/trace.hpp"

#include <span>
#include <string>
#include <vector>

namespace leat::perf {

/// Hit ratios by pieces, as cache_statistics count: a request for several chunks is several.
struct curve_estimate {
    replay_options how;  ///< of the cache that estimates
    double factor = 1;   ///< of its memory
    double estimated = 0;
    double replayed = 0;  ///< with that memory
};

/// For each of `ways` half its memory, if that holds a chunk, twice and four times. Throws as
/// replay() does.
[[nodiscard]] std::vector<curve_estimate> curve_of(const trace& of,
                                                   std::span<const replay_options> ways);
/// The same of engines that serve the trace for real, one after the other. Throws as
/// replay_for_real() does.
[[nodiscard]] std::vector<curve_estimate> real_curve_of(const trace& of,
                                                        const replay_options& how,
                                                        const real_options& with);
/// A line for each.
[[nodiscard]] std::string text_of(const trace& of, const std::vector<curve_estimate>& all);

}  // namespace leat::perf
