// The command leat-bench patterns.
#pragma once

#include "common/exit_code.hpp"
#include "patterns/pattern_arguments.hpp"

namespace leat::perf {

/// Runs what was asked for and prints it; `several` if something could not be served. Throws what
/// the traces and the engine throw, and std::runtime_error if wrong bytes were served.
[[nodiscard]] apps::exit_code run_patterns(const pattern_arguments& given);

}  // namespace leat::perf
