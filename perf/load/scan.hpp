// The workload "scan".
#pragma once

#include "common/bench.hpp"

namespace leat::perf {

/// Cold sequential through `slices`, four chunks in flight, in whole chunks and in 4 KiB; beside a
/// raw ring and fio.
void run_scan(bench& with);

}  // namespace leat::perf
