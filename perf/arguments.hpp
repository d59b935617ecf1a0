// The command line of leat-bench.
#pragma once

#include "common/bench_options.hpp"
#include "patterns/pattern_arguments.hpp"
#include "replay/replay_arguments.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace leat::perf {

/// What the command line says.
struct arguments {
    bench_options options;
    std::vector<std::string> words;  ///< workloads, or a file
    bool list = false;
    std::string create;  ///< a file to make
    std::string goals;   ///< the argument of `goals`
    std::string newer;   ///< the arguments of `report`
    std::string older;
    std::string page;
    replay_arguments replay;
    pattern_arguments patterns;
};

/// Adds the options of a run, and the commands.
void add_arguments(CLI::App& app, arguments& into);

/// Sorts the words into workloads' names, which it returns, and the file.
/// Throws CLI::ValidationError for a word that is neither.
[[nodiscard]] std::vector<std::string> sort_words(arguments& from);

}  // namespace leat::perf
