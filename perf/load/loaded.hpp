// Cold requests while a scan keeps the device busy.
#pragma once

#include "common/bench.hpp"

namespace leat::perf {

/// The wait for 4 KiB behind fills, and the rate of the fills, beside a raw ring that keeps as many
/// bytes in flight: at 0.5, 1 and 2 MiB.
void run_loaded(bench& with);

}  // namespace leat::perf
