// Ranks of which the first are drawn most.
#pragma once

#include "common/pages.hpp"

#include <cstddef>
#include <vector>

namespace leat::perf {

/// Draws the rank r, counted from 1, in proportion to 1 / r^exponent.
class zipf {
public:
    /// `ranks` is at least 1.
    zipf(std::size_t ranks, double exponent);

    /// A rank less 1: from 0 to ranks - 1.
    [[nodiscard]] std::size_t operator()(random_words& random) const noexcept;

private:
    std::vector<double> up_to_;  // sums of the weights
};

}  // namespace leat::perf
