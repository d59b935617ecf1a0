// The workload "messages".
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// Round trips between two shards, 1, 16 and 64 outstanding, and to a shard that is parked.
extern const workload messages_workload;

}  // namespace leat::perf
