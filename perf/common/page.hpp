// A run, or two, as one HTML page.
#pragma once

#include "common/run_record.hpp"

#include <string>

namespace leat::perf {

/// The page of a run: a verdict, goals, plots drawn by gnuplot, and tables of all figures. It asks
/// nothing of any host.
[[nodiscard]] std::string page_of(const run_record& run);

/// What has changed between two runs beyond their spread, and nothing else.
[[nodiscard]] std::string page_of(const run_record& newer, const run_record& older);

}  // namespace leat::perf
