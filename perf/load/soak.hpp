// Many tasks under faults for a long time: is anything left at the end?
#pragma once

#include "common/bench.hpp"

namespace leat::perf {

/// Figures: soak.{requests,errors,faults}, soak.rss_mib_{start,end}, soak.left.
void run_soak(bench& with);

}  // namespace leat::perf
