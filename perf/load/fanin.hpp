// The workload "fanin".
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// 10,000 coroutines on all shards wait for one absent chunk.
extern const workload fanin_workload;

}  // namespace leat::perf
