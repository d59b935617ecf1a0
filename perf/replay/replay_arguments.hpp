// The command line of leat-bench replay.
#pragma once

#include "replay/made_up_trace.hpp"
#include "replay/replay_figures.hpp"

#include <leat/engine/cache_policy.hpp>
#include <leat/engine/options.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace leat::perf {

struct replay_arguments {
    bool chosen = false;  ///< the command was given
    std::string trace;    ///< a file; empty: what `made_up` says
    made_up_options made_up;
    std::vector<cache_policy> policies;  ///< empty: none was given
    std::vector<std::uint64_t> capacities;
    std::uint64_t split = 0;
    bool second_half = false;
    device_model device;
    bool sweep = false;
    unsigned points = 12;  ///< of a sweep
    bool recommend = false;
    bool curve = false;
    std::string json;
    std::string plot;
    std::string real;  ///< a file or device to read
    unsigned clients = 1;
    engine_options engine;  ///< its memory and chunk size are the simulation's, too
    std::string sized;      ///< the name of an option that was given and speaks of bytes
};

/// Adds the command. Parsing it throws CLI::ValidationError for options that do not go together.
void add_replay(CLI::App& app, replay_arguments& into);

}  // namespace leat::perf
