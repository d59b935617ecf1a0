// How a program ends: one table for all of them.
#pragma once

#include <boost/system/error_code.hpp>

#include <cstdint>

namespace leat::apps {

/// The exit codes of every program of leat.
enum class exit_code : std::uint8_t {
    success = 0,
    several = 1,        ///< failures of more than one kind, or of a kind not listed here
    usage = 2,          ///< a wrong option or value
    not_found = 3,      ///< no such file
    not_permitted = 4,  ///< the file may not be opened
    read_error = 5,     ///< the file cannot be read, has changed, or is of a kind that is refused
    out_of_range = 6,   ///< an offset beyond the end of the file
    no_backend = 7,     ///< the requested backend is not available
    void_result = 8     ///< what was measured cannot be trusted
};

/// The exit code that tells a shell of this error; success for no error.
[[nodiscard]] exit_code exit_code_of(const boost::system::error_code& error) noexcept;

/// The exit code of a run with both results: several, if both failed differently.
[[nodiscard]] exit_code both(exit_code one, exit_code other) noexcept;

/// The table for --help, a line a code.
[[nodiscard]] const char* exit_code_table() noexcept;

}  // namespace leat::apps
