// The workload "remote".
#pragma once

#include "common/bench.hpp"

namespace leat::perf {

/// Every shard on chunks that shard 0 owns, through leases and by moving there; and every shard on
/// chunks of its own.
void run_remote(bench& with);

}  // namespace leat::perf
