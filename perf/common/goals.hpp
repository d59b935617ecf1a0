// The numbers to reach, from perf/goals.tsv.
#pragma once

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
};

/// Reads lines of "name TAB limit TAB why", where a limit is "<= 10", ">= 0.5" or either with " if
/// measured" behind it; the first line names the columns. Throws std::runtime_error that names the
/// line.
[[nodiscard]] std::vector<goal> parse_goals(std::string_view text);

/// Those of the project.
[[nodiscard]] std::span<const goal> goals();
[[nodiscard]] const goal* find_goal(std::string_view name);

/// Compares the figures and ratios of a JSON file with the goals: a line for each that falls short
/// or is missing, and whether there was any. Throws for a file that is none of leat-bench's.
struct goals_outcome {
    std::string text;
    bool all_reached = true;
};
[[nodiscard]] goals_outcome check_goals(const std::string& json);

}  // namespace leat::perf
