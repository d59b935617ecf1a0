// Which uses of a chunk count as visits: not those that others do not separate from the one before.
#pragma once

#include "eviction_policy.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace leat::detail {

/// Counts what comes between two uses of a chunk: loads and visits, by bytes. A use counts anew
/// when a twentieth of the memory, at least four chunks, has been loaded or visited since the
/// last; one reader's uses of a chunk follow each other sooner. Hits compare stamps only: the clock
/// gives the latest one that is long enough ago.
class visit_clock {
public:
    visit_clock(told_uses tell, std::uint64_t capacity) noexcept
        : step_bytes_(capacity / distance / marks), tell_(tell) {}

    void set_capacity(std::uint64_t bytes) noexcept { step_bytes_ = bytes / distance / marks; }

    /// What hits compare with: a use is noticed if the chunk's last use before it was earlier.
    [[nodiscard]] std::int64_t horizon() const noexcept {
        return tell_ == told_uses::all ? std::numeric_limits<std::int64_t>::max()
                                       : visits_horizon();
    }
    /// A use may begin a visit if the chunk's last use before it was earlier than this.
    [[nodiscard]] std::int64_t visits_horizon() const noexcept { return marks_[next_]; }
    /// Whether the last use of a candidate, of which its policy did not know, saves it: not if it
    /// was part of a visit that has long ended, to a policy that counts visits.
    [[nodiscard]] bool saves(const resident& candidate) const noexcept {
        return tell_ != told_uses::visits || candidate.reuses != 0 ||
               candidate.keep != retention::normal || candidate.used >= visits_horizon();
    }
    /// Whether somebody is in the middle of using it, as far as a policy that counts visits knows.
    [[nodiscard]] bool in_use(const resident& candidate) const noexcept {
        return tell_ == told_uses::visits && candidate.touched &&
               candidate.keep == retention::normal && candidate.used >= visits_horizon();
    }
    /// A chunk was loaded, or visited, at `now`.
    void visited(std::int64_t now, std::uint64_t bytes) noexcept {
        since_mark_ += bytes;
        if (since_mark_ < step_bytes_) return;
        since_mark_ = 0;
        marks_[next_] = now;
        next_ = (next_ + 1) % marks;
    }

private:
    static constexpr std::uint64_t distance = 20;
    static constexpr std::size_t marks = 4;

    std::uint64_t step_bytes_;
    told_uses tell_;
    std::uint64_t since_mark_ = 0;
    std::array<std::int64_t, marks> marks_ = first_marks();
    std::size_t next_ = 0;  ///< the oldest mark, which the next one replaces

    static constexpr std::array<std::int64_t, marks> first_marks() noexcept {
        std::array<std::int64_t, marks> none{};
        none.fill(std::numeric_limits<std::int64_t>::min());
        return none;
    }
};

}  // namespace leat::detail
