// Two runs beside each other: what has changed, and what has not.
#pragma once

#include "common/run_record.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat::perf {

/// What a change is to a user.
enum class tendency : std::uint8_t { better, worse, neither };

/// Of a figure or ratio.
struct change {
    std::string name;
    double older = 0;
    double newer = 0;
    double spread = 0;  ///< of both rounds together, as a share of the older value
    tendency how = tendency::neither;

    /// As a share of the older value, which is not 0.
    [[nodiscard]] double share() const noexcept { return newer / older - 1; }
};

struct comparison {
    std::vector<change> changes;  ///< beyond the spread: ratios, then figures
    std::size_t unchanged = 0;
    std::size_t not_compared = 0;  ///< void, or in one run only
    /// What the runs differ in besides: properties of machine and options, older and newer.
    struct difference {
        std::string name;
        std::string older;
        std::string newer;
    };
    std::vector<difference> differences;

    [[nodiscard]] std::size_t count(tendency how) const noexcept;
};

/// A change counts if the values are further apart than both spreads together. That of fewer than
/// three rounds is not known, and taken as a quarter; what is counted has none.
[[nodiscard]] comparison compare_runs(const run_record& newer, const run_record& older);

/// "Of 124 figures and ratios 3 are better beyond the spread, 1 is worse; 120 are within it."
[[nodiscard]] std::string sentence_of(const comparison& compared);

}  // namespace leat::perf
