// The workload "remote".
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// Every shard on chunks that shard 0 owns, through leases and by moving there; and every shard on
/// chunks of its own.
extern const workload remote_workload;

}  // namespace leat::perf
