// Counts what the program allocates.
#pragma once

#include <cstdint>

namespace leat::perf {

/// Calls of operator new since the program started, on all threads, whoever made them.
[[nodiscard]] std::uint64_t allocations() noexcept;

}  // namespace leat::perf
