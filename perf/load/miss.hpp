// The workload "miss".
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// Cold random 4 KiB with a cache much smaller than the file: one at a time, 32 at once, and while
/// fills keep the device busy; beside a raw ring.
extern const workload miss_workload;

}  // namespace leat::perf
