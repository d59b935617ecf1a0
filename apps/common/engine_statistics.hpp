// What an engine and its cache have done, in one piece, for people and for programs.
#pragma once

#include <leat/cache/chunk_manager.hpp>
#include <leat/engine/engine.hpp>

#include <boost/json/object.hpp>

namespace leat::apps {

/// Sums over the shards of an engine; the names are those of the parts.
struct engine_statistics {
    unsigned shards = 0;
    std::uint64_t memory = 0;      ///< the budget, in bytes
    std::uint64_t chunk_size = 0;  ///< of the manager, in bytes
    cache_statistics cache;
    io::backend_statistics backend;
    io::arena_statistics arena;
    shard_statistics loop;  ///< without the parts above; longest_turn is the longest of all
};

/// Asks each shard of the manager's engine in turn, also of one that is stopping. On a shard.
[[nodiscard]] task<engine_statistics> gather(chunk_manager& manager);

/// {"shards": ..., "backend": {"name": ...}, "buffers": {...}, "cache": {...}, "loop": {...}};
/// numbers are bytes, counts, or nanoseconds where a name ends in _ns.
[[nodiscard]] boost::json::object to_json(const engine_statistics& all);

}  // namespace leat::apps
