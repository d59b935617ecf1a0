// The workload "patterns".
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// Serves every pattern once, with the fewer of its requests. Nothing is timed: the machine may be
/// busy.
extern const workload patterns_workload;

}  // namespace leat::perf
