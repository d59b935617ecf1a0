// The workload "miss".
#pragma once

#include "common/bench.hpp"

namespace leat::perf {

/// Cold random 4 KiB with a cache much smaller than the file: one at a time, 32 at once, and while
/// fills keep the device busy; beside a raw ring.
void run_miss(bench& with);

}  // namespace leat::perf
