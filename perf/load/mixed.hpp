// The workload "mixed".
#pragma once

#include "common/bench.hpp"

namespace leat::perf {

/// Hits and misses on one shard, open loop at half the rate that a closed loop reaches; latencies
/// from the intended start.
void run_mixed(bench& with);

}  // namespace leat::perf
