// The workload "hit".
#pragma once

#include "common/workload.hpp"

namespace leat::perf {

/// One shard, cached file: one hot page, uniform, sequential and Zipf; beside the bare table,
/// pread and mmap.
extern const workload hit_workload;

}  // namespace leat::perf
