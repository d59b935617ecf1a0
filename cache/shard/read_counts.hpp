// How many reads of a manager are in flight on a shard, and of which kinds.
#pragma once

#include <cassert>
#include <cstdint>

namespace leat::detail {

struct read_counts {
    unsigned all = 0;
    unsigned walks = 0;       ///< turns of those who go through files
    unsigned aheads = 0;      ///< turns of what is asked for ahead
    unsigned small = 0;       ///< somebody waits for a little, which was read at once
    unsigned windows = 0;     ///< somebody waits for a stream's window
    unsigned background = 0;  ///< in pieces, and nobody waited for them when they began
    std::uint64_t bytes = 0;  ///< of the buffers that they read into

    void add(const read_counts& more) noexcept {
        all += more.all;
        walks += more.walks;
        aheads += more.aheads;
        small += more.small;
        windows += more.windows;
        background += more.background;
        bytes += more.bytes;
    }
    void remove(const read_counts& some) noexcept {
        assert(all >= some.all && walks >= some.walks && aheads >= some.aheads);
        assert(small >= some.small && windows >= some.windows && background >= some.background);
        assert(bytes >= some.bytes);
        all -= some.all;
        walks -= some.walks;
        aheads -= some.aheads;
        small -= some.small;
        windows -= some.windows;
        background -= some.background;
        bytes -= some.bytes;
    }
};

}  // namespace leat::detail
