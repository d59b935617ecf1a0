// What a shard of leat-serve tells an administrator.
#pragma once

#include "request_in_flight.hpp"
#include "serve_counters.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace leat::serve {

/// How much one file is asked for.
struct file_use {
    std::string path;
    std::uint64_t requests = 0;  ///< since the shard remembers it
    std::uint64_t size = 0;      ///< bytes
};

/// A copy, taken on the shard.
struct shard_report {
    serve_counters counters;                ///< body_bytes with those of the answers under way
    std::uint64_t answering = 0;            ///< connections with an answer under way
    std::uint64_t open_files = 0;           ///< paths that are remembered
    std::uint64_t looks = 0;                ///< times that a path was looked up in the file system
    std::vector<request_in_flight> oldest;  ///< answers under way, the oldest first
    std::vector<file_use> files;            ///< those asked for most, the first one most
};

}  // namespace leat::serve
