// The workload "designs".
#pragma once

#include "common/bench.hpp"

namespace leat::perf {

/// leat beside other ways to serve 4 KiB out of 10 MiB chunks in memory, from several threads.
void run_designs(bench& with);

}  // namespace leat::perf
