// How a run says that a check has failed.
#pragma once

#include <cstddef>
#include <string>

namespace leat::sim {

/// What a process that runs seeds tells the one that watches it; in memory that both share, so that
/// it outlives a crash.
struct verdict_board {
    static constexpr std::size_t text_bytes = 6000;
    unsigned long long seed = 0;  ///< being run
    unsigned long long done = 0;  ///< seeds that have passed
    bool failed = false;
    char text[text_bytes] = {};
};

/// Where fail() writes, from now on.
void report_to(verdict_board& board) noexcept;

/// Notes what is wrong and ends the process at once: after a failed check nothing of the run can be
/// trusted, not even to be destroyed.
[[noreturn]] void fail(const std::string& what) noexcept;

/// Fails unless `holds`.
inline void require(bool holds, const char* what) noexcept {
    if (!holds) [[unlikely]]
        fail(what);
}

/// The exit status of a process in which a check has failed.
inline constexpr int failed_status = 3;

}  // namespace leat::sim
