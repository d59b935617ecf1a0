// Whether requests for a file that stand alone are followed by others close by.
#pragma once

#include <array>
#include <cstdint>

namespace leat::detail {

/// A request that stands alone brings what it asks for, and the next one in the same fragment all
/// of that: two reads where one would have cost little more than the first. Of which files three of
/// four such requests have a second one is learned from those that were read small; then the whole
/// fragment is read at once, but for a few, from which it is learned when that ends. Where fewer
/// have, memory for what is not asked for again costs more than the second reads: records of 4 KiB
/// strewn over fragments (leat-bench patterns, packed) took 3.1 s of the device a GiB served in 510
/// MiB, and 4.2 s where already half sufficed.
///
/// The same goes for whole fragments and those that follow, which cost a third of a read of their
/// own where they are read at once. How often what lies before a fragment that is missed is there
/// tells how often what follows will be wanted; less what has to go for that, and is wanted again.
/// Half a MiB at once takes a third of the device time of fragments where 16 KiB at a time are
/// asked for anywhere in some 100 MiB for a while, and three quarters for a workstation's requests
/// (arc_P3); a whole MiB takes more where memory is short.
///
/// One shard's; of files that share a place the latest is known. Nothing allocates.
class locality {
public:
    /// Whether a request that stands alone in the fragment with this key is to have all of it.
    [[nodiscard]] bool whole(std::uint64_t file, std::uint64_t key) const noexcept {
        const counts& known = all_[file % all_.size()];
        if (known.file != file || known.alone < fewest) return false;
        return known.joined * 4 >= known.alone * 3 && key % one_of != 0;
    }
    /// A fragment of the file has been made for one request alone, or for the second in it.
    void note(std::uint64_t file, bool second) noexcept {
        counts& known = all_[file % all_.size()];
        if (known.file != file) known = {.file = file};
        ++(second ? known.joined : known.alone);
        if (known.alone < most && known.joined < most) return;
        known.alone /= 2;
        known.joined /= 2;
    }

    /// Whether what follows the fragment at this offset of the file, which is missed alone, is to
    /// be read with it. `before`: the one before it is in memory. `wanted_again`: see evicted_keys.
    [[nodiscard]] bool reads_on(std::uint64_t file,
                                std::uint64_t offset,
                                bool before,
                                double wanted_again) noexcept {
        counts& known = all_[file % all_.size()];
        if (known.file != file) known = {.file = file};
        const bool sample = is_sample(offset);
        // Where it was read on, what lies before is there for that.
        if (sample || !known.reads_on) note_missed(known, before);
        if (known.missed < fewest) return false;
        const double follows = static_cast<double>(known.beside) / known.missed;
        known.reads_on = follows - wanted_again >= worth_reading_on;
        return known.reads_on && !sample;
    }

private:
    struct counts {
        std::uint64_t file = 0;
        std::uint32_t alone = 0;
        std::uint32_t joined = 0;
        std::uint32_t missed = 0;  ///< fragments, alone
        std::uint32_t beside = 0;  ///< of them, those behind one that was there
        bool reads_on = false;
    };

    static void note_missed(counts& known, bool before) noexcept {
        ++known.missed;
        known.beside += before ? 1 : 0;
        if (known.missed < most) return;
        known.missed /= 2;
        known.beside /= 2;
    }
    // One of 32 regions of 2 MiB, as a rule.
    [[nodiscard]] static bool is_sample(std::uint64_t offset) noexcept {
        constexpr std::uint64_t spread = 0x9e3779b97f4a7c15;
        return (offset >> 21) * spread >> 59 == 0;
    }

    static constexpr double worth_reading_on = 1.0 / 3;
    static constexpr std::uint32_t fewest = 16;
    static constexpr std::uint32_t most = 128;
    static constexpr std::uint64_t one_of = 8;

    std::array<counts, 256> all_{};
};

}  // namespace leat::detail
