// The workload "asio-guest".
#pragma once

#include "common/bench.hpp"

namespace leat::perf {

/// Hits for Asio's coroutines on a shard and for an io_context on a thread of its own, beside plain
/// posts between io_contexts.
void run_asio_guest(bench& with);

}  // namespace leat::perf
