// Many seeds, each safe from the others' crashes, and the shortest run that still fails.
#pragma once

#include "plan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace leat::sim {

struct failure {
    std::uint64_t seed = 0;
    std::string text;
};

struct campaign_options {
    std::uint64_t first = 1;
    std::uint64_t last = 1;
    unsigned jobs = 1;
    unsigned most_failures = 1;  ///< after so many it ends
    bool hashes = false;         ///< print each seed's
    bool trace = false;          ///< print what happens
    selection chosen;
};

/// Runs the seeds in processes of their own. Returns those that failed.
[[nodiscard]] std::vector<failure> run_campaign(const campaign_options& wanted);

/// Runs one seed in a process of its own, quietly. What failed, if something did.
[[nodiscard]] std::optional<failure> try_seed(std::uint64_t seed, const selection& chosen);

/// The least of `failing` of this seed that still fails: without kinds of faults and actions that
/// do not matter.
[[nodiscard]] selection shorten(std::uint64_t seed, const selection& failing);

}  // namespace leat::sim
