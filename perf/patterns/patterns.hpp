// The workload "patterns".
#pragma once

#include "common/bench.hpp"

namespace leat::perf {

/// Serves every pattern once, with the fewer of its requests. Nothing is timed: the machine may be
/// busy.
void run_patterns_quickly(bench& with);

}  // namespace leat::perf
