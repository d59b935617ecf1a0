// Buckets, and percentiles from them.
#include "common/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace leat::perf {

// Values below 2^(bits + 1) have a bucket each; above, the leading bits + 1 bits choose it.
std::size_t histogram::bucket_of(std::uint64_t ns) noexcept {
    const auto width = static_cast<unsigned>(std::bit_width(ns));
    if (width <= bucket_bits + 1) return static_cast<std::size_t>(ns);
    const unsigned shift = width - (bucket_bits + 1);
    return (static_cast<std::size_t>(shift) << bucket_bits) + static_cast<std::size_t>(ns >> shift);
}

double histogram::middle_of(std::size_t bucket) noexcept {
    constexpr std::size_t linear = std::size_t{2} << bucket_bits;
    if (bucket < linear) return static_cast<double>(bucket);
    const std::size_t shift = (bucket >> bucket_bits) - 1;
    const std::uint64_t lowest = (bucket - (shift << bucket_bits)) << shift;
    return static_cast<double>(lowest) + static_cast<double>((std::uint64_t{1} << shift) - 1) / 2;
}

void histogram::add(std::uint64_t ns) {
    const std::size_t bucket = bucket_of(ns);
    if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
    ++buckets_[bucket];
    ++count_;
    smallest_ = std::min(smallest_, ns);
    largest_ = std::max(largest_, ns);
    sum_ += static_cast<double>(ns);
}

void histogram::add(const histogram& other) {
    if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
    for (std::size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    smallest_ = std::min(smallest_, other.smallest_);
    largest_ = std::max(largest_, other.largest_);
    sum_ += other.sum_;
}

double histogram::percentile(double percent) const {
    if (count_ == 0) return 0;
    const double wanted = std::ceil(percent / 100 * static_cast<double>(count_));
    const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
        seen += buckets_[bucket];
        if (seen < rank) continue;
        return std::clamp(middle_of(bucket), static_cast<double>(smallest_),
                          static_cast<double>(largest_));
    }
    return static_cast<double>(largest_);
}

double histogram::mean() const noexcept {
    return count_ != 0 ? sum_ / static_cast<double>(count_) : 0;
}

}  // namespace leat::perf
