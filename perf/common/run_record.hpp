// A run as --json has written it, read again.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leat::perf {

/// What a run has found, whichever program of whichever version has written it.
struct run_record {
    using values = std::vector<std::pair<std::string, double>>;
    using points = std::vector<std::pair<double, double>>;
    using texts = std::vector<std::pair<std::string, std::string>>;

    std::string version;  ///< of leat
    texts machine;
    texts options;
    values figures;
    values ratios;
    std::map<std::string, double, std::less<>> spreads;
    std::map<std::string, unsigned, std::less<>> rounds;
    /// Why what cannot be trusted is void, and what to do.
    std::map<std::string, std::string, std::less<>> faults;
    std::vector<std::string> notes;
    std::map<std::string, points, std::less<>> series;
    /// ns over percent, by the name of the latencies.
    std::map<std::string, points, std::less<>> histograms;

    /// The value of a figure or ratio, void or not.
    [[nodiscard]] std::optional<double> find(std::string_view name) const;
    /// Empty if it can be trusted, or was not measured.
    [[nodiscard]] std::string_view fault_of(std::string_view name) const;
    /// A property of the machine; empty if nothing is known of it.
    [[nodiscard]] std::string_view property(std::string_view name) const;
};

/// Throws for text that is none of leat-bench's, and for a schema of another.
[[nodiscard]] run_record parse_run(const std::string& json);

}  // namespace leat::perf
