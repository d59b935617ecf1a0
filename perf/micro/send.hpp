// The workload "send".
#pragma once

#include "common/bench.hpp"

namespace leat::perf {

/// Slices of a cached chunk sent over loopback, copied by the kernel and as zero-copy sends.
void run_send(bench& with);

}  // namespace leat::perf
