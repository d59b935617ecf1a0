// The workload "memory".
#pragma once

#include "common/bench.hpp"

namespace leat::perf {

/// What a full cache of 4 GiB needs besides its buffers, and how soon an engine serves.
void run_memory(bench& with);

}  // namespace leat::perf
