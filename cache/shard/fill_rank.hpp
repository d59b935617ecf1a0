// Which of the chunks that are not yet complete are read first.
#pragma once

#include <cstddef>
#include <cstdint>

namespace leat::detail {

/// Where a chunk stands among those of its manager that have more to be read, best first.
enum class fill_rank : std::uint8_t {
    demanded,  ///< somebody waits for units of it that no read in flight brings
    entered,   ///< a reader who asks ahead has come to it
    ahead,     ///< a reader will come to it soon
    rest,      ///< whoever asked has, or is getting, what he asked for
    none       ///< nothing of it is to be read
};

inline constexpr std::size_t fill_ranks = static_cast<std::size_t>(fill_rank::none);

}  // namespace leat::detail
