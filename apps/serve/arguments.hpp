// The command line of leat-serve.
#pragma once

#include "common/exit_code.hpp"
#include "server_options.hpp"

#include <variant>

namespace leat::serve {

inline constexpr const char* program_name = "leat-serve";

/// Reads the options from the command line, the environment and the file of --config, or gives the
/// code to end with: after --help, --version and --print-config, and after a fault, which has been
/// told on standard error.
[[nodiscard]] std::variant<server_options, apps::exit_code> parse_arguments(int argc, char** argv);

}  // namespace leat::serve
