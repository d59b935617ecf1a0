// Wall and CPU time.
#pragma once

#include <leat/io/time_span.hpp>

#include <chrono>
#include <cstdint>
#include <ctime>

namespace leat::perf {

using clock = std::chrono::steady_clock;

[[nodiscard]] inline double seconds_between(clock::time_point from, clock::time_point to) noexcept {
    return std::chrono::duration<double>(to - from).count();
}

[[nodiscard]] inline time_span duration_of(double seconds) noexcept {
    return std::chrono::duration<double>(seconds);
}

[[nodiscard]] inline std::uint64_t ns_between(clock::time_point from,
                                              clock::time_point to) noexcept {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count());
}

/// CPU seconds of the whole process, workers of the kernel that serve it included.
[[nodiscard]] inline double process_cpu_seconds() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace leat::perf
