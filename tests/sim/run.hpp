// One run: a seed's plan, from the engine's making to the last slice.
#pragma once

#include "plan.hpp"

#include <cstdint>

namespace leat::sim {

struct run_summary {
    std::uint64_t hash = 0;
    std::uint64_t events = 0;
    std::uint64_t time_ns = 0;  ///< virtual
};

/// Runs it and checks everything; a check that fails ends the process (see fail()).
run_summary run_plan(const plan& wanted, bool print);

}  // namespace leat::sim
