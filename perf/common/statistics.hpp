// The arithmetic of a handful of rounds.
#pragma once

#include <span>

namespace leat::perf {

/// The q-quantile (0 to 1) of `values` in any order, interpolated between neighbours; 0 if there
/// are none.
[[nodiscard]] double quantile(std::span<const double> values, double q);

[[nodiscard]] double median(std::span<const double> values);

/// How far apart rounds lie: the distance between the quartiles over the median, so that one
/// disturbed round in five does not count. 0 for fewer than two values or a median of 0.
[[nodiscard]] double spread(std::span<const double> values);

}  // namespace leat::perf
