// How much there is to write, for the progress bar.
#pragma once

#include "arguments.hpp"

#include <cstdint>

namespace leat::cat {

/// Bytes that the files promise now, those left out that cannot be asked; 0 if unknown.
[[nodiscard]] std::uint64_t expected_bytes(const arguments& given);

}  // namespace leat::cat
