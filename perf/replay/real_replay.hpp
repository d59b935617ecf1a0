// Serves a trace by an engine that reads a file.
#pragma once

#include "replay/replay.hpp"
#include "replay/replay_figures.hpp"
#include "replay/trace.hpp"

#include <leat/cache/statistics.hpp>
#include <leat/engine/options.hpp>

#include <string>

namespace leat::perf {

/// What the trace's files are mapped to, and by whom it is served.
struct real_options {
    std::string path;       ///< a file or device; it is only read
    unsigned clients = 1;   ///< coroutines that take the requests in turn
    engine_options engine;  ///< its memory, chunk size and policy are those of replay_options
};

struct real_outcome {
    /// `missed` are requests that had to wait; the rest is from the cache's statistics.
    replay_figures found;
    cache_statistics counted;  ///< what the cache has done for what counts, peeks too
    double seconds = 0;        ///< wall time of what counts
    /// The trace's files are more than the file holds: some of them share places in it.
    bool places_shared = false;
};

/// Each file of the trace lies where the one before it ends, from the start of a chunk on, and what
/// lies beyond the end of the file begins at its start again. Throws leat::system_error, and
/// std::runtime_error if the file holds no chunk.
[[nodiscard]] real_outcome replay_for_real(const trace& of,
                                           const replay_options& how,
                                           const real_options& with);

}  // namespace leat::perf
