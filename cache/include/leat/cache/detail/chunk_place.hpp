// Where a byte of a file lies among the file's chunks.
#pragma once

#include <cstdint>

namespace leat::detail {

struct chunk_place {
    std::uint64_t index = 0;  ///< of the chunk in its file
    std::uint64_t in = 0;     ///< offset inside the chunk
};

}  // namespace leat::detail
