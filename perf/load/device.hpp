// The workload "device".
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// A raw ring over block sizes, depths and kinds of buffers, and fio at three of the points. With
/// --depth, --block-size or --num-threads given: only that point, as fio's t/io_uring.
extern const workload device_workload;

}  // namespace leat::perf
