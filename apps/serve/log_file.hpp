// The file that a log is written to.
#pragma once

#include "common/descriptor.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace leat::serve {

/// A regular file that is appended to, or a pipe, whose reader may have stopped: no call waits for
/// one for longer than it is told to.
class log_file {
public:
    /// `path`: "-" is standard output. Throws std::runtime_error with a sentence that begins with
    /// the option, also where a named pipe has no reader.
    explicit log_file(const std::string& path);

    using clock = std::chrono::steady_clock;
    /// Told how long the file has had no room.
    using patience = std::function<bool(clock::duration)>;

    /// Writes whole lines. While the file has no room it waits, as long as `goes_on`, asked several
    /// times a second, says so. Gives how many lines could not be written.
    [[nodiscard]] std::uint64_t write(std::string_view lines, const patience& goes_on);

private:
    [[nodiscard]] bool has_room() const noexcept;
    [[nodiscard]] bool waits(const patience& goes_on);

    apps::descriptor descriptor_;
    bool is_regular_ = false;
    bool in_line_ = false;  ///< a line was cut off
    std::optional<clock::time_point> full_since_;
};

}  // namespace leat::serve
