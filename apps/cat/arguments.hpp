// The command line of leat-cat.
#pragma once

#include "common/exit_code.hpp"

#include <leat/engine/options.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace leat::cat {

inline constexpr const char* program_name = "leat-cat";

struct arguments {
    engine_options engine;
    std::uint64_t offset = 0;  ///< bytes to skip at the start of each file
    std::uint64_t length = std::numeric_limits<std::uint64_t>::max();  ///< bytes at most of each
    std::string stats;                                                 ///< "", "text" or "json"
    std::string record;            ///< a file for the requests, or ""
    std::optional<bool> progress;  ///< empty: as the terminal suggests
    std::vector<std::string> files;

    /// Whether to draw a progress bar: not where it would mix with the output.
    [[nodiscard]] bool show_progress() const noexcept;
};

/// Parses the command line; gives the exit code instead if the program is to end, having said why.
[[nodiscard]] std::variant<arguments, apps::exit_code> parse_arguments(int argc, char** argv);

}  // namespace leat::cat
