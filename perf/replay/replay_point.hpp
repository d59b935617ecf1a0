// One way to serve a trace, and what came of it.
#pragma once

#include "replay/replay.hpp"

#include <vector>

namespace leat::perf {

struct replay_point {
    replay_options how;
    replay_figures found;
};

/// Tries each of `ways`, as replay_each() does.
[[nodiscard]] std::vector<replay_point> replay_points(const trace& of,
                                                      const std::vector<replay_options>& ways);

/// At most `count` numbers of chunks, equal factors apart, from four to `most`.
[[nodiscard]] std::vector<std::uint64_t> chunk_counts(std::uint64_t most, unsigned count);

}  // namespace leat::perf
