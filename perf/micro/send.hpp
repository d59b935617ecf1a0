// The workload "send".
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// Slices of a cached chunk sent over loopback, copied by the kernel and as zero-copy sends.
extern const workload send_workload;

}  // namespace leat::perf
