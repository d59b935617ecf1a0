// The workload "asio".
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// Cold random 4 KiB at depth 32: by leat's shard without its cache, and by Boost.Asio's io_uring
/// files, one object and 32, which the program leat-bench-asio beside this one reads.
extern const workload asio_workload;

}  // namespace leat::perf
