// The cache's statistics, for however many ask.
#pragma once

#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/statistics.hpp>

#include <chrono>
#include <mutex>
#include <optional>

namespace leat::serve {

/// Asks the cache at most once a second: for each answer every shard looks at all of its chunks, in
/// one turn. Any thread that is no shard.
class recent_statistics {
public:
    /// As they were within the last second; nothing if a shard did not tell in time.
    [[nodiscard]] std::optional<cache_statistics> of(chunk_manager& manager, time_span patience);

private:
    using clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds period{1};

    std::mutex mutex_;  // the members below; held while the shards are asked
    std::optional<cache_statistics> last_;
    std::optional<clock::time_point> taken_;
};

}  // namespace leat::serve
