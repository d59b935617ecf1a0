// The ways of using a cache that are measured, and how each is asked for.
#pragma once

#include <leat/cache/chunk_config.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace leat::perf {

/// Which call of the manager serves a request.
enum class asking : std::uint8_t { get_chunk, slices, read };

struct pattern {
    std::string_view name;
    std::string_view what;      ///< one line
    std::string_view workload;  ///< what make_trace() makes
    std::uint64_t requests;     ///< of which the second half counts
    /// Where there is little time: enough for memory to have filled, and for the goals.
    std::uint64_t quick_requests;
    std::uint64_t memory;  ///< bytes
    unsigned clients = 1;  ///< they take the requests in turns, each waiting for its own only
    asking by = asking::get_chunk;
    leat::hint given = hint::normal;  ///< with each request
};

/// In the order in which they run.
[[nodiscard]] std::span<const pattern> patterns() noexcept;
[[nodiscard]] const pattern* find_pattern(std::string_view name) noexcept;

/// All names, for messages and help.
[[nodiscard]] std::string names_of_patterns();

}  // namespace leat::perf
