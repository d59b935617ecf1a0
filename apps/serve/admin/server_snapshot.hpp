// What a server has done and does, at one time.
#pragma once

#include "serve/shard_report.hpp"

#include <leat/cache/statistics.hpp>
#include <leat/engine/shard.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace leat::serve {

/// Plain copies; what did not answer in time is absent.
struct server_snapshot {
    struct of_shard {
        std::optional<shard_statistics> loop;
        std::optional<shard_report> served;
    };

    std::string version;
    std::string root;
    std::vector<std::string> addresses;  ///< that are listened on
    std::chrono::system_clock::time_point started;
    std::chrono::system_clock::time_point taken;
    std::chrono::nanoseconds age{0};  ///< of the server
    bool draining = false;
    std::uint64_t chunk_size = 0;
    std::optional<cache_statistics> cache;
    std::vector<of_shard> shards;

    /// Sums over the shards that answered.
    [[nodiscard]] serve_counters counters() const {
        serve_counters sum;
        for (const of_shard& one : shards) {
            if (one.served) sum.add(one.served->counters);
        }
        return sum;
    }
};

}  // namespace leat::serve
