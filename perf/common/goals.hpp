// The numbers to reach, from perf/goals.tsv.
#pragma once

#include "common/run_record.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace leat::perf {

/// A limit on a figure or a ratio.
struct goal {
    std::string name;
    bool at_least = false;  ///< else at most
    double limit = 0;
    std::string why;
    bool if_measured = false;  ///< may be missing: its workload is not part of `all`

    [[nodiscard]] bool reached(double value) const noexcept {
        return at_least ? value >= limit : value <= limit;
    }
    /// "reaches <= 10" or "MISSES <= 10".
    [[nodiscard]] std::string verdict(double value) const;
    /// "at most 10" or "at least 0.9".
    [[nodiscard]] std::string words() const;
    /// How far a value falls short, "by 12 %" or "3.1 times the limit"; empty if it reaches it.
    [[nodiscard]] std::string shortfall(double value) const;
};

/// How a run stands to a goal. What is void was measured, but cannot be judged.
enum class standing : std::uint8_t { met, missed, void_result, unmeasured };

struct judged_goal {
    const goal* limit = nullptr;
    standing how = standing::unmeasured;
    double value = 0;  ///< if it was measured, and is not void
};

/// Reads lines of "name TAB limit TAB why", where a limit is "<= 10", ">= 0.5" or either with " if
/// measured" behind it; the first line names the columns. Throws std::runtime_error that names the
/// line.
[[nodiscard]] std::vector<goal> parse_goals(std::string_view text);

/// Those of the project.
[[nodiscard]] std::span<const goal> goals();
[[nodiscard]] const goal* find_goal(std::string_view name);

/// Each of the project's goals, in their order; those that were not measured and need not be are
/// left out.
[[nodiscard]] std::vector<judged_goal> judge(const run_record& run);

struct goals_outcome {
    std::string text;
    bool all_reached = true;
};
/// A line for each goal, and whether all are reached: what is void or not measured is not.
[[nodiscard]] goals_outcome check_goals(const run_record& run);

}  // namespace leat::perf
