// Reads in flight, without those that hang.
#pragma once

#include "read_counts.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace leat::detail {

/// Reads that hang, of files behind a network perhaps, are not to hold up what others ask for. So
/// reads grow older while somebody waits for them to end, and are counted no more when they are
/// older than two ages, and twice as old as any that has ended lately: where the source is only
/// slow some have. What a slow one has shown is forgotten by and by, an age in each four.
class aged_reads {
public:
    /// What a read has begun as, for its end.
    struct begun {
        std::uint32_t age = 0;
        read_counts as;
        [[nodiscard]] bool some() const noexcept { return age != 0; }
    };

    [[nodiscard]] begun begin(const read_counts& as) noexcept {
        counted_.add(as);
        by_age_[0].add(as);
        return {age_, as};
    }
    /// Only one that has `served` its bytes shows how slow the source is: what has failed after a
    /// time limit would have hung for ever.
    void end(const begun& one, bool served) noexcept {
        const std::uint32_t old = std::min(age_ - one.age, oldest);
        if (served) slowest_ = std::max(slowest_, std::min(old, slowest_known));
        if (one.age < counted_from_) return hanging_.remove(one.as);
        counted_.remove(one.as);
        by_age_[old].remove(one.as);
    }
    /// What may hang: so many reads, into so much memory.
    struct bounds {
        unsigned reads = std::numeric_limits<unsigned>::max();
        std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();
        bool first = true;  ///< the first in any case
    };
    /// An age is over. No more are taken as hanging then than `most`. To be called at equal
    /// distances while somebody waits, as long as it returns true, and again from when a read has
    /// begun or ended: something may come of the next.
    bool grow_older(const bounds& most) noexcept {
        bool hang = false;
        for (std::uint32_t old = oldest; old >= std::max(patience, 2 * slowest_); --old) {
            read_counts& those = by_age_[old];
            const bool few = hanging_.all + those.all <= most.reads &&
                             hanging_.bytes + those.bytes <= most.bytes;
            if (!few && (hanging_.all != 0 || !most.first)) break;
            hang = hang || those.all != 0;
            hanging_.add(those);
            counted_.remove(those);
            those = read_counts{};
            counted_from_ = std::max(counted_from_, age_ - old + 1);
        }
        by_age_[oldest].add(by_age_[oldest - 1]);
        for (std::uint32_t old = oldest - 1; old != 0; --old) by_age_[old] = by_age_[old - 1];
        by_age_[0] = read_counts{};
        ++age_;
        // Slowly enough for the next to end that take as long.
        slowest_ -= slowest_ != 0 && age_ % ages_to_forget == 0 ? 1 : 0;
        return hang || restless();
    }
    /// Whether something may come of the next age, or of those that follow it.
    [[nodiscard]] bool restless() const noexcept {
        const auto some = [](const read_counts& those) { return those.all != 0; };
        return counted_.all != 0 &&
               (slowest_ != 0 ||
                std::any_of(by_age_.begin(), by_age_.begin() + patience + 1, some));
    }
    /// Without those that hang.
    [[nodiscard]] const read_counts& counted() const noexcept { return counted_; }
    [[nodiscard]] const read_counts& hanging() const noexcept { return hanging_; }

private:
    static constexpr std::uint32_t patience = 2;
    static constexpr std::uint32_t ages_to_forget = 4;
    // No source is known to be slower, and what is twice as old hangs.
    static constexpr std::uint32_t slowest_known = 8;
    static constexpr std::uint32_t oldest = 2 * slowest_known;

    std::uint32_t age_ = oldest;
    std::uint32_t counted_from_ = 0;
    std::uint32_t slowest_ = 0;  ///< ages that reads have taken that ended lately
    read_counts counted_;
    std::array<read_counts, oldest + 1> by_age_;  ///< the same, the youngest first
    read_counts hanging_;                         ///< those that are not counted any more
};

}  // namespace leat::detail
