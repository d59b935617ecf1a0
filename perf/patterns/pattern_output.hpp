// The outcomes of patterns as people and programs read them.
#pragma once

#include "patterns/pattern_outcome.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace leat::perf {

/// Why something could not be served, on lines of its own: the engine's sentences are long.
[[nodiscard]] std::string indented(std::string sentence);

/// The first line of the table.
[[nodiscard]] std::string pattern_header();

/// A line for each side.
[[nodiscard]] std::string rows_of(const pattern_outcome& outcome);

/// Which goals these figures reach or miss, a line for each.
[[nodiscard]] std::string goals_text_of(const pattern_figures& figures);

/// Schema 1, as `leat-bench goals` and `report` take it; documented in perf/README.md.
[[nodiscard]] boost::json::object json_of(const pattern_figures& figures,
                                          const pattern_options& how);

/// Every side of each, for the JSON's "patterns".
[[nodiscard]] boost::json::array json_of(const std::vector<pattern_outcome>& outcomes);

}  // namespace leat::perf
