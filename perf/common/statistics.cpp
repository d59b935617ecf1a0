// Median, quantiles, spread.
#include "common/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace leat::perf {

double quantile(std::span<const double> values, double q) {
    if (values.empty()) return 0;
    std::vector<double> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    const double position = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    const double part = position - static_cast<double>(below);
    return sorted[below] + part * (sorted[above] - sorted[below]);
}

double median(std::span<const double> values) {
    return quantile(values, 0.5);
}

double spread(std::span<const double> values) {
    const double middle = median(values);
    if (values.size() < 2 || middle == 0) return 0;
    return (quantile(values, 0.75) - quantile(values, 0.25)) / std::abs(middle);
}

}  // namespace leat::perf
