// The report as people and programs read it.
#pragma once

#include "common/bench_options.hpp"
#include "common/machine.hpp"
#include "common/report.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace leat::perf {

/// Figures with unit and spread, ratios, and what is void and why.
[[nodiscard]] std::string table_of(const report& found);

/// The machine-readable form, schema 1; documented in perf/README.md.
[[nodiscard]] boost::json::object json_of(const report& found,
                                          const bench_options& options,
                                          const machine_description& machine);

/// Writes the file at once or not at all. Throws std::runtime_error.
void write_file(const std::string& path, const std::string& text);

}  // namespace leat::perf
