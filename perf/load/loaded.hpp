// Cold requests while a scan keeps the device busy.
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// The wait for 4 KiB behind fills, and the rate of the fills, beside a raw ring that keeps as many
/// bytes in flight: at 0.5, 1 and 2 MiB.
extern const workload loaded_workload;

}  // namespace leat::perf
