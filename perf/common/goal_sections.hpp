// How a run stands to the goals, and what a user can do about it, as HTML.
#pragma once

#include "common/run_record.hpp"

#include <string>

namespace leat::perf {

/// Goals that are missed, each with how far, then those that are met and those that were not
/// measured, folded.
[[nodiscard]] std::string goals_section(const run_record& run);

/// Why what is void is so; empty if nothing is.
[[nodiscard]] std::string void_section(const run_record& run);

/// What to change or to run next; empty if there is nothing.
[[nodiscard]] std::string advice_section(const run_record& run);

}  // namespace leat::perf
