// The command line of leat-bench patterns.
#pragma once

#include "patterns/pattern_outcome.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace leat::perf {

struct pattern_arguments {
    bool chosen = false;              ///< the command was given
    std::vector<std::string> traces;  ///< files
    std::vector<std::string> only;    ///< names of patterns; empty: all, or none beside traces
    bool list = false;
    bool chunk_sizes = false;
    std::string json;
    pattern_options how;
};

/// Adds the command. Parsing it throws CLI::ValidationError for options that do not go together.
void add_patterns(CLI::App& app, pattern_arguments& into);

}  // namespace leat::perf
