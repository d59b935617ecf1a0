// Which searches for room have been in vain, and for how long it is not worth repeating them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace leat::detail {

/// A search that finds nothing has looked at everything: where a few pins keep each segment, that
/// is all there is, for each request and each pin that is given up. So it is repeated only after as
/// many turns as make it a small part of the shard's work.
class vain_searches {
public:
    /// Whether a search of this kind is to be spared in this turn.
    [[nodiscard]] bool spare(std::uint64_t kind, std::uint64_t turn) const noexcept {
        return std::any_of(all_.begin(), all_.end(),
                           [&](const search& one) { return one.kind == kind && turn < one.until; });
    }
    /// Whether room may have come since such a search was begun: otherwise the next would be in
    /// vain, too, and nobody is to turn until it may be made.
    [[nodiscard]] bool worth_repeating(std::uint64_t kind, std::uint64_t rooms) const noexcept {
        return std::none_of(all_.begin(), all_.end(), [&](const search& one) {
            return one.kind == kind && one.rooms == rooms;
        });
    }
    /// One has been in vain that has looked at `looks` chunks, and was begun when room had come so
    /// many times.
    void failed(std::uint64_t kind,
                std::uint64_t looks,
                std::uint64_t turn,
                std::uint64_t rooms) noexcept {
        auto place = std::find_if(all_.begin(), all_.end(),
                                  [&](const search& one) { return one.kind == kind; });
        if (place == all_.end())
            place = std::min_element(
                all_.begin(), all_.end(),
                [](const search& a, const search& b) { return a.until < b.until; });
        *place = {kind, turn + looks / looks_a_turn, rooms};
    }

private:
    // About a microsecond, where a turn with something to do takes ten and more.
    static constexpr std::uint64_t looks_a_turn = 64;

    struct search {
        std::uint64_t kind = 0;
        std::uint64_t until = 0;  ///< the first turn in which it may be repeated
        std::uint64_t rooms = 0;  ///< when it was begun
    };
    std::array<search, 8> all_;
};

}  // namespace leat::detail
