// Asks a running server what it does.
#pragma once

#include "recent_statistics.hpp"
#include "running_server.hpp"
#include "server_snapshot.hpp"

#include <leat/io/time_span.hpp>

#include <chrono>
#include <cstddef>

namespace leat::serve {

/// When the process's server began.
struct server_start {
    std::chrono::system_clock::time_point time = std::chrono::system_clock::now();
    std::chrono::steady_clock::time_point ticks = std::chrono::steady_clock::now();
};

/// Asks all shards, and blocks until they have answered, about `patience` at most. At most `most`
/// connections and files of each. What the cache tells may be as old as `cache` allows. A thread
/// that is no shard.
[[nodiscard]] server_snapshot take_snapshot(const running_server& of,
                                            const server_start& start,
                                            recent_statistics& cache,
                                            std::size_t most,
                                            time_span patience = std::chrono::seconds{1});

}  // namespace leat::serve
