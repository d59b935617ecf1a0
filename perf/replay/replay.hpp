// Serves a trace from a simulated cache, and counts.
#pragma once

#include "replay/replay_figures.hpp"
#include "replay/trace.hpp"

#include <leat/engine/cache_policy.hpp>
#include <leat/engine/options.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace leat::perf {

/// What a trace is served by, and which of its requests count.
struct replay_options {
    cache_policy policy = cache_policy::s3fifo_e;
    std::uint64_t memory = 512 * MiB;
    std::uint64_t chunk_size = 10 * MiB;
    std::uint64_t split = 0;   ///< as request_cursor takes it
    bool second_half = false;  ///< count it only, when the memory has filled
    bool curve = false;        ///< estimate other memories meanwhile, as a running cache does
};

/// The first request of `of` that counts.
[[nodiscard]] std::size_t first_counted(const trace& of, const replay_options& how) noexcept;

/// Throws std::bad_alloc, and leat::system_error with errc::budget_too_small if the memory does not
/// hold a chunk.
[[nodiscard]] replay_figures replay(const trace& of, const replay_options& how);

/// Each of `ways`, as many at once as there are CPUs.
[[nodiscard]] std::vector<replay_figures> replay_each(const trace& of,
                                                      std::span<const replay_options> ways);

/// How many chunks the requests touch.
[[nodiscard]] std::uint64_t chunks_asked(const trace& of, std::uint64_t chunk_size);

}  // namespace leat::perf
