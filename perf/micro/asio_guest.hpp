// The workload "asio-guest".
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// Hits for Asio's coroutines on a shard and for an io_context on a thread of its own, beside plain
/// posts between io_contexts.
extern const workload asio_guest_workload;

}  // namespace leat::perf
