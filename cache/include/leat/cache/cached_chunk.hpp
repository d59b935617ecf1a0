// A chunk or fragment that is in memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace leat {

/// What chunk_manager::hottest() tells of one. Bytes and times are of when it was looked at.
struct cached_chunk {
    std::string name;          ///< the file's, as it was first opened
    std::uint64_t file = 0;    ///< file_id::number
    std::uint64_t offset = 0;  ///< of its first byte in the file
    std::uint64_t size = 0;    ///< bytes of the file that it has room for
    std::uint64_t bytes = 0;   ///< of its buffer
    unsigned shard = 0;        ///< its owner
    bool fragment = false;     ///< else a chunk
    bool complete = false;     ///< all of it has been read
    /// Visits that speak for its staying: counted up to three, and down as the policy spends them.
    unsigned reuses = 0;
    std::uint64_t pins = 0;            ///< slices of its owner's; leases have their own
    std::uint64_t leases = 0;          ///< other shards that serve it
    std::chrono::nanoseconds idle{0};  ///< since its last use
};

}  // namespace leat
