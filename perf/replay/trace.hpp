// Requests in their order: what a recorded or made-up workload asks for.
#pragma once

#include <leat/cache/chunk_config.hpp>
#include <leat/engine/options.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace leat::perf {

/// What a recording says of a request.
enum class trace_outcome : std::uint8_t { unknown, hit, miss };

/// `size` bytes at `offset` of a file, at least one, across chunks or not.
struct trace_request {
    double time = 0;           ///< seconds, where the trace tells
    std::uint64_t offset = 0;  ///< bytes from the start of the file
    std::uint64_t size = 0;    ///< bytes
    std::uint32_t file = 0;    ///< an index of trace::file_bytes
    leat::hint hint = hint::normal;
    trace_outcome outcome = trace_outcome::unknown;
};

/// What a recording tells besides its requests.
struct recorded_counts {
    std::uint64_t refused = 0;  ///< requests that ended at once; they are not in the trace
    std::uint64_t failed = 0;   ///< of those that waited
    std::uint64_t lost = 0;     ///< not recorded
    bool whole = true;          ///< it was ended, rather than its process
};

struct trace {
    std::string name;
    /// Each request is for an object without a size: a file of one chunk, read whole.
    bool of_objects = false;
    std::vector<std::uint64_t> file_bytes;
    std::vector<trace_request> requests;
    std::optional<recorded_counts> recorded;  ///< it is a recording: there are outcomes
};

/// What an object without a size counts for: the smallest chunk.
inline constexpr std::uint64_t object_bytes = 64 * KiB;

}  // namespace leat::perf
