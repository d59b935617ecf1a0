// The workload "hit".
#pragma once

#include "common/bench.hpp"

namespace leat::perf {

/// One shard, cached file: one hot page, uniform, sequential and Zipf; beside the bare table,
/// pread and mmap.
void run_hit(bench& with);

}  // namespace leat::perf
