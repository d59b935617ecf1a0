// The workload "memory".
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// What a full cache of 4 GiB, or of what is given, needs besides its buffers, and how soon an
/// engine serves.
extern const workload memory_workload;

}  // namespace leat::perf
