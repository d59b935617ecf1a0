// Many sequential readers of a cold file at once.
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// 32 readers, each through its own part of the file in slices of 64 KiB: the rate beside the
/// device's, and how much a read of the source brings.
extern const workload crowd_workload;

}  // namespace leat::perf
