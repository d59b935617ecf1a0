// How far readers come through their files while what was read for them is in memory.
#pragma once

#include <leat/cache/detail/presence.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace leat::detail {

/// What is read ahead of a reader and goes before he comes to it is read for nothing. How much he
/// will come to is his pace times the time in which three quarters of the memory are loaded anew:
/// the rest is what others have who are not as regular. Of a crowd of slow readers who are too many
/// to be told apart all that is known is what they have come through of what was read for them;
/// this is the geometric mean of what that says of the latest 256 or so, so that a few who are much
/// quicker do not decide for the others.
///
/// One shard's. Times are stamps of the shard, in ns. Nothing allocates.
class reader_reach {
public:
    /// So many bytes of the memory are not pinned.
    void set_memory(std::uint64_t bytes) noexcept { part_bytes_ = bytes / parts; }
    /// So many have been read, or will be soon.
    void loaded(std::uint64_t bytes, std::int64_t now) noexcept {
        since_mark_ += bytes;
        if (since_mark_ < part_bytes_) return;
        since_mark_ = 0;
        marks_[next_] = now;
        next_ = (next_ + 1) % marks_.size();
    }
    /// The time in which three quarters of the memory were loaded; 0 until that has been once.
    [[nodiscard]] std::int64_t turnover(std::int64_t now) const noexcept {
        const std::int64_t mark = marks_[next_];
        return mark == never ? 0 : std::max<std::int64_t>(now - mark, 1);
    }
    /// A reader came through `bytes` in the time `took`, and has come to the end of what was read
    /// for him, or it goes now.
    void came_through(std::uint64_t bytes, std::int64_t took, std::int64_t now) noexcept {
        const auto time = static_cast<double>(turnover(now));
        if (time == 0) return;
        const double far =
            took <= 0 ? most : static_cast<double>(bytes) * time / static_cast<double>(took);
        bytes_ *= std::pow(std::clamp(far, least, most) / bytes_, weight);
    }
    /// Bytes beyond what he asks for that a reader comes through, of whom nothing is known.
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        return static_cast<std::uint64_t>(bytes_);
    }

private:
    static constexpr std::uint64_t parts = 16;
    static constexpr std::size_t parts_kept = 12;
    static constexpr std::int64_t never = -1;
    static constexpr double weight = 1.0 / 256;
    static constexpr double least = unit_size;
    // As much as one read brings.
    static constexpr double most = 10 * MiB;

    double bytes_ = most;
    std::uint64_t part_bytes_ = 0;
    std::uint64_t since_mark_ = 0;
    std::array<std::int64_t, parts_kept> marks_ = no_marks();  ///< when each part had been loaded
    std::size_t next_ = 0;                                     ///< the oldest

    static constexpr std::array<std::int64_t, parts_kept> no_marks() noexcept {
        std::array<std::int64_t, parts_kept> none{};
        none.fill(never);
        return none;
    }
};

}  // namespace leat::detail
