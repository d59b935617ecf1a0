// What of this process is in memory.
#pragma once

#include <cstdint>

namespace leat::perf {

/// Bytes that are resident now, after /proc/self/statm.
[[nodiscard]] std::uint64_t resident_bytes();

}  // namespace leat::perf
