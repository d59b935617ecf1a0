// Many tasks under faults for a long time: is anything left at the end?
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// Figures: soak.{requests,errors,faults}, soak.rss_mib_{start,end}, soak.left.
extern const workload soak_workload;

}  // namespace leat::perf
