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

private:
    struct counts {
        std::uint64_t file = 0;
        std::uint32_t alone = 0;
        std::uint32_t joined = 0;
    };
    static constexpr std::uint32_t fewest = 16;
    static constexpr std::uint32_t most = 128;
    static constexpr std::uint64_t one_of = 8;

    std::array<counts, 256> all_{};
};

}  // namespace leat::detail
