// How much of what lies behind a fragment that is asked for alone is asked for, too.
#pragma once

#include <array>
#include <cstdint>

namespace leat::detail {

/// A fragment costs a third of a read of its own where it is read together with the one before. So
/// what follows one that is missed alone is read with it where at least a quarter of that will be
/// used: less what has to go for it, and is wanted again. How much that will be is told by what
/// lies before such a miss: how much of that is there and has been used, of each file.
///
/// Half a MiB at once takes less than half of the device time of fragments where 16 KiB at a time
/// are asked for anywhere in some 100 MiB for a while, and nine tenths for a workstation's requests
/// (arc_P3); a whole MiB takes more where memory is short.
///
/// One shard's; of files that share a place the latest is known. Nothing allocates.
class density {
public:
    /// Fragments that are read at once so.
    static constexpr unsigned at_once = 8;

    /// A fragment of the file is missed alone, and `used` of the at_once - 1 before it are there
    /// and have been used. Whether what follows is to be read with it. `wanted_again`: see
    /// evicted_keys.
    [[nodiscard]] bool missed(std::uint64_t file, unsigned used, double wanted_again) noexcept {
        counts& known = all_[file % all_.size()];
        if (known.file != file) known = {.file = file};
        ++known.missed;
        known.used += used;
        if (known.missed >= most) {
            known.missed /= 2;
            known.used /= 2;
        }
        if (known.missed < fewest) return false;
        const double part = static_cast<double>(known.used) / ((at_once - 1) * known.missed);
        return part - wanted_again >= worth_reading;
    }

private:
    struct counts {
        std::uint64_t file = 0;
        std::uint32_t missed = 0;
        std::uint32_t used = 0;  ///< before all of them
    };
    static constexpr std::uint32_t fewest = 16;
    static constexpr std::uint32_t most = 128;
    static constexpr double worth_reading = 1.0 / 4;

    std::array<counts, 256> all_{};
};

}  // namespace leat::detail
