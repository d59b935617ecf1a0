// The workload "fanin".
#pragma once

#include "common/bench.hpp"

namespace leat::perf {

/// 10,000 coroutines on all shards wait for one absent chunk.
void run_fanin(bench& with);

}  // namespace leat::perf
