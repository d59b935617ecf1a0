// Reads recordings of leat's own requests.
#pragma once

#include "replay/trace.hpp"

#include <string>

namespace leat::perf {

/// Whether the file begins as recordings do, when decompressed where it is compressed. Throws as
/// read_recording().
[[nodiscard]] bool is_recording(const std::string& path);

/// Reads a recording, those of its requests that were served: times from its beginning, hints and
/// outcomes, the requests of all shards merged by their times. Throws boost::system::system_error
/// if the file cannot be read, and std::runtime_error, with file and position, for what is damaged.
void read_recording(const std::string& path, trace& into);

}  // namespace leat::perf
