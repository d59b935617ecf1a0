// Where readers of a chunk have stopped, to tell those who go on from those who come anew.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

namespace leat::detail {

/// Four ends of reads: of the last one, which each use sets, and of the last before each of the
/// latest visits. One thread.
class read_ends {
public:
    /// Of the last read; more than any offset if there was none.
    [[nodiscard]] std::uint32_t last() const noexcept { return last_; }
    void note(std::uint32_t end) noexcept { last_ = end; }
    /// Whether a read at `in` goes on where one has stopped. To be asked where the read may begin a
    /// visit, before it is noted.
    [[nodiscard]] bool continued_at(std::uint32_t in) noexcept {
        if (in == last_) return true;
        std::uint32_t carried = last_;
        for (std::uint32_t& end : earlier_) {
            std::swap(end, carried);
            if (carried == in) return true;
        }
        return false;
    }

    /// Whether readers have come who did not go on where others had stopped.
    [[nodiscard]] bool visited_anew() const noexcept { return earlier_[0] != nowhere; }

private:
    static constexpr std::uint32_t nowhere = 0xffffffff;
    std::uint32_t last_ = nowhere;
    std::array<std::uint32_t, 3> earlier_{nowhere, nowhere, nowhere};  ///< the latest first
};

}  // namespace leat::detail
