// The workload "messages".
#pragma once

#include "common/bench.hpp"

namespace leat::perf {

/// Round trips between two shards, 1, 16 and 64 outstanding, and to a shard that is parked.
void run_messages(bench& with);

}  // namespace leat::perf
