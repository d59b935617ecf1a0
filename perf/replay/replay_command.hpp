// What leat-bench replay does.
#pragma once

#include "replay/replay_arguments.hpp"

namespace leat::perf {

/// Serves the trace as the arguments say, and prints what came of it. Throws CLI::ValidationError
/// for options that the trace has no use for, and otherwise what reading and serving it throws.
void run_replay(const replay_arguments& given);

}  // namespace leat::perf
