// The workload "designs".
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// leat beside other ways to serve 4 KiB out of 10 MiB chunks in memory, from several threads.
extern const workload designs_workload;

}  // namespace leat::perf
