// Serves a pattern's requests by a real engine over a made-up source.
#pragma once

#include "patterns/pattern.hpp"
#include "replay/replay_figures.hpp"
#include "replay/trace.hpp"

#include <leat/engine/options.hpp>

namespace leat::perf {

/// Who asks how, and what serves.
struct pattern_way {
    engine_options engine;  ///< one shard unless it says otherwise
    unsigned clients = 1;
    asking by = asking::get_chunk;
    leat::hint given = hint::normal;
};

/// What the second half of the requests came to. Reads and bytes are those that the source has
/// counted; `pieces` and `late_pieces` what the cache's statistics call hits and misses together,
/// and misses.
///
/// Throws leat::system_error, and std::runtime_error if the cache has served wrong bytes.
[[nodiscard]] replay_figures run_pattern(const trace& of, const pattern_way& how);

}  // namespace leat::perf
