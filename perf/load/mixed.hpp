// The workload "mixed".
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// Hits and misses on one shard, open loop at half the rate that a closed loop reaches; latencies
/// from the intended start.
extern const workload mixed_workload;

}  // namespace leat::perf
