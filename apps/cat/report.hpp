// What --stats prints.
#pragma once

#include "common/engine_statistics.hpp"
#include "common/record_argument.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace leat::cat {

/// A run of leat-cat in numbers.
struct report {
    std::uint64_t bytes = 0;  ///< written to standard output
    std::chrono::nanoseconds duration{0};
    apps::engine_statistics engine;
    std::optional<recording_summary> recorded;

    /// Lines for people.
    [[nodiscard]] std::string text() const;
    /// One JSON object in one line: bytes, seconds, bytes_per_second, the engine's, and what was
    /// recorded.
    [[nodiscard]] std::string json() const;
};

}  // namespace leat::cat
