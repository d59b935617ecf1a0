// The figures of a run as tables, one for each workload.
#pragma once

#include "common/run_record.hpp"

#include <string>
#include <string_view>

namespace leat::perf {

/// The value with its unit, as HTML.
[[nodiscard]] std::string value_with_unit(std::string_view name, double value);

/// Folded tables: each group of figures behind the line of what it means. HTML.
[[nodiscard]] std::string figure_sections(const run_record& run);

}  // namespace leat::perf
