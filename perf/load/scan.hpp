// The workload "scan".
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// Cold sequential through `slices`, four chunks in flight, in whole chunks and in 4 KiB; beside a
/// raw ring and fio.
extern const workload scan_workload;

}  // namespace leat::perf
