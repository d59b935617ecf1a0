// A server's numbers as JSON.
#pragma once

#include "server_snapshot.hpp"

#include <leat/cache/cached_chunk.hpp>
#include <leat/engine/waiting_task.hpp>

#include <boost/json/value.hpp>

#include <cstddef>
#include <vector>

namespace leat::serve {

/// What the status page shows. Numbers are bytes, counts, ratios, or times in the unit that the
/// name ends in; what did not answer in time is null. Names of files are UTF-8, with U+FFFD for
/// what is none.
[[nodiscard]] boost::json::value stats_json(const server_snapshot& of);

/// [{"file": "a.mkv", "offset": 0, "size": ..., "kind": "chunk", ...}]
[[nodiscard]] boost::json::value to_json(const std::vector<cached_chunk>& all);

/// The answers under way, the oldest first, at most `most`, and what tasks wait for.
[[nodiscard]] boost::json::value in_flight_json(const server_snapshot& of,
                                                const std::vector<waiting_task>& waiting,
                                                std::size_t most);

}  // namespace leat::serve
