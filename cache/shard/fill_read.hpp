// A read of some units of a chunk.
#pragma once

#include "aged_reads.hpp"

#include <cstdint>

namespace leat::detail {

struct fill_read {
    enum class purpose : std::uint8_t {
        small_demand,   ///< somebody waits for these units, which were read at once
        large_demand,   ///< somebody waits for these units, which were read in their turn
        window_demand,  ///< the same of a stream's window, which was read at once
        background,     ///< nobody waited for them when it began
        window          ///< the same, as a part of a read that somebody waits for
    };

    std::uint64_t first = 0;  ///< unit
    std::uint64_t count = 0;  ///< units
    purpose why = purpose::background;
    bool of_window = false;   ///< a part of a larger read, whose error may be that of another part
    bool told = false;        ///< what becomes of that read is told by another part
    aged_reads::begun begun;  ///< none, of a part of a window but the first

    [[nodiscard]] std::uint64_t end() const noexcept { return first + count; }
    /// Whether it takes no turn.
    [[nodiscard]] bool in_piece() const noexcept {
        return why == purpose::large_demand || why == purpose::background;
    }
    [[nodiscard]] bool demanded() const noexcept { return why < purpose::background; }
};

}  // namespace leat::detail
