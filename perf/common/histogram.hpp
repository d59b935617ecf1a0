// Latencies, counted in buckets whose width grows with them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace leat::perf {

/// A log-linear histogram of nanoseconds: each power of two is cut into 128 buckets, so that a
/// percentile is exact below 256 ns and within 0.4 % above. (As in fio and HdrHistogram.)
class histogram {
public:
    /// The percentiles that fio prints.
    static constexpr std::array<double, 17> percentiles{1,  5,  10, 20, 30,   40,   50,    60,   70,
                                                        80, 90, 95, 99, 99.5, 99.9, 99.95, 99.99};

    void add(std::uint64_t ns);
    void add(const histogram& other);

    /// The middle of the bucket that holds the value at `percent` (0 to 100) of the count; 0 if
    /// empty.
    [[nodiscard]] double percentile(double percent) const;
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::uint64_t smallest() const noexcept { return count_ != 0 ? smallest_ : 0; }
    [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }
    [[nodiscard]] double mean() const noexcept;

private:
    static constexpr unsigned bucket_bits = 7;

    [[nodiscard]] static std::size_t bucket_of(std::uint64_t ns) noexcept;
    [[nodiscard]] static double middle_of(std::size_t bucket) noexcept;

    std::vector<std::uint64_t> buckets_;
    std::uint64_t count_ = 0;
    std::uint64_t smallest_ = UINT64_MAX;
    std::uint64_t largest_ = 0;
    double sum_ = 0;
};

}  // namespace leat::perf
