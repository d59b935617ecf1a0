// A run in one sentence.
#pragma once

#include "common/run_record.hpp"

#include <string>

namespace leat::perf {

/// What the machine gives by leat, beside what it gives by pread and the bare device, and which
/// goals are met: of what the run has measured. Values that are void are "about" theirs.
[[nodiscard]] std::string verdict_of(const run_record& run);

}  // namespace leat::perf
