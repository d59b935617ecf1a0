// A replay as people and programs read it.
#pragma once

#include "replay/recommendation.hpp"
#include "replay/replay_point.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace leat::perf {

/// The trace, and what it asks for.
[[nodiscard]] std::string heading_of(const trace& of);
/// All figures of one point; the line of the miss ratio is "miss ratio 0.1234".
[[nodiscard]] std::string details_of(const trace& of,
                                     const replay_point& point,
                                     const device_model& device);
/// A line for each point, with its figures.
[[nodiscard]] std::string table_of(const trace& of,
                                   const std::vector<replay_point>& points,
                                   const device_model& device);
/// The miss ratios of a sweep: a line for each memory, a column for each policy.
[[nodiscard]] std::string grid_of(const trace& of, const std::vector<replay_point>& points);

/// Every figure of every point; documented in perf/README.md. `chosen` may be null.
[[nodiscard]] boost::json::object json_of(const trace& of,
                                          const std::vector<replay_point>& points,
                                          const device_model& device,
                                          const recommendation* chosen);

/// Draws the miss ratios of a sweep into a file that ends in .svg or .png. Throws
/// std::runtime_error.
void plot_sweep(const std::string& path, const trace& of, const std::vector<replay_point>& points);

}  // namespace leat::perf
