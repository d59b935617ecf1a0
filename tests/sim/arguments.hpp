// The command line of leat-sim.
#pragma once

#include "campaign.hpp"

#include <string>

namespace leat::sim {

struct arguments {
    campaign_options campaign;
    bool shorten = true;
};

/// Ends the process after --help, and with status 2 and a sentence if something cannot be
/// understood.
[[nodiscard]] arguments parse(int count, char** values);

/// The arguments that give this selection, each with a space before it.
[[nodiscard]] std::string text_of(const selection& chosen);

}  // namespace leat::sim
