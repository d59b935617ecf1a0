// Which searches for room have been in vain, and for how long it is not worth repeating them.
#pragma once

#include <leat/engine/shard.hpp>
#include <leat/io/time_span.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace leat::detail {

/// A search that finds nothing has looked at everything: where a few pins keep each segment, that
/// is all there is, for each request and each pin that is given up. So it is repeated only after a
/// time that makes it, and those of other kinds, a small part of the shard's.
class vain_searches {
public:
    /// Whether a search of this kind is to be spared now.
    [[nodiscard]] bool spare(std::uint64_t kind, const shard& home) const noexcept {
        const search* const last = find(kind);
        return last != nullptr && home.now() < last->until;
    }
    /// Whether room may have come since such a search was begun: otherwise the next would be in
    /// vain, too.
    [[nodiscard]] bool worth_repeating(std::uint64_t kind, std::uint64_t rooms) const noexcept {
        const search* const last = find(kind);
        return last == nullptr || last->rooms != rooms;
    }
    /// When it may be repeated. Precondition: there was one.
    [[nodiscard]] io::time_point until(std::uint64_t kind) const noexcept {
        return find(kind)->until;
    }
    /// One has been in vain that has looked at `looks` chunks, and was begun when room had come so
    /// many times.
    void failed(std::uint64_t kind,
                std::uint64_t looks,
                const shard& home,
                std::uint64_t rooms) noexcept {
        const io::time_point now = home.now();
        search& place = place_for(kind);
        place = {kind, looks, now, rooms};
        if (looks < few_looks) return;
        std::uint64_t sum = looks;
        for (const search& other : all_) sum += other.until > now ? other.looks : 0;
        const std::chrono::nanoseconds take = sum * time_of_a_look;
        const auto pause = std::min(times_as_long * take, std::max(long_pause, take));
        place.until = later(now, pause);
    }

private:
    // Of chunks that are not in the CPU's cache.
    static constexpr std::chrono::nanoseconds time_of_a_look{30};
    // A pause is so many times as long as what they take; but pins that have gone meanwhile are not
    // to go unnoticed for longer than this, if that leaves half of the time to others.
    static constexpr int times_as_long = 8;
    static constexpr std::chrono::nanoseconds long_pause = std::chrono::milliseconds{20};
    // To sleep and wake takes longer than to look at so many.
    static constexpr std::uint64_t few_looks = 256;

    struct search {
        std::uint64_t kind = ~std::uint64_t{0};
        std::uint64_t looks = 0;
        io::time_point until{};   ///< when it may be repeated
        std::uint64_t rooms = 0;  ///< when it was begun
    };
    // Several times as many as there are size classes, and each with its choice of some places:
    // what is known of one that is being put off is not given up for another.
    static constexpr std::size_t places = 256;
    static constexpr std::size_t choice = 4;

    template <class Visit>
    static void each_choice(std::uint64_t kind, Visit visit) noexcept {
        // The golden ratio spreads kinds, which are multiples of a page but for some bits.
        const std::uint64_t first =
            (kind * 0x9e3779b97f4a7c15) >> (64 - std::bit_width(places - 1));
        for (std::size_t i = 0; i < choice; ++i) visit((first + i) % places);
    }
    [[nodiscard]] const search* find(std::uint64_t kind) const noexcept {
        const search* found = nullptr;
        each_choice(kind, [&](std::size_t at) {
            if (all_[at].kind == kind) found = &all_[at];
        });
        return found;
    }
    // Its own, or that of the one that may be repeated soonest.
    [[nodiscard]] search& place_for(std::uint64_t kind) noexcept {
        search* place = nullptr;
        each_choice(kind, [&](std::size_t at) {
            search& one = all_[at];
            if (place != nullptr && place->kind == kind) return;
            if (place == nullptr || one.kind == kind || one.until < place->until) place = &one;
        });
        return *place;
    }

    std::array<search, places> all_;
};

}  // namespace leat::detail
