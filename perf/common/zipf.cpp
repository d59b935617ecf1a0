// Draws by bisection in the sums of the weights.
#include "common/zipf.hpp"

#include <algorithm>
#include <cmath>

namespace leat::perf {

zipf::zipf(std::size_t ranks, double exponent) : up_to_(ranks) {
    double sum = 0;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
        sum += 1 / std::pow(static_cast<double>(rank) + 1, exponent);
        up_to_[rank] = sum;
    }
}

std::size_t zipf::operator()(random_words& random) const noexcept {
    const double at = static_cast<double>(random() >> 11) * 0x1p-53 * up_to_.back();
    const auto rank = std::upper_bound(up_to_.begin(), up_to_.end(), at) - up_to_.begin();
    return std::min(static_cast<std::size_t>(rank), up_to_.size() - 1);
}

}  // namespace leat::perf
