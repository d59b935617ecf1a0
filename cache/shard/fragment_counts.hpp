// How many fragments a shard has, and how long the longest are.
#pragma once

#include <leat/cache/detail/chunk_place.hpp>

#include <array>
#include <bit>
#include <cassert>
#include <cstdint>

namespace leat::detail {

/// A fragment that crosses borders of fragments is found by its first one, so that who looks for
/// one that has his bytes looks at some before them, too: at as few as may be of use.
class fragment_counts {
public:
    /// One of `length` bytes that begins at `start`.
    void add(std::uint64_t start, std::uint64_t length) noexcept {
        const unsigned crossing = crossing_of(start, length);
        ++counts_[crossing];
        ++all_;
        present_ |= 1U << crossing;
    }
    void remove(std::uint64_t start, std::uint64_t length) noexcept {
        const unsigned crossing = crossing_of(start, length);
        assert(counts_[crossing] != 0);
        --all_;
        if (--counts_[crossing] == 0) present_ &= ~(1U << crossing);
    }
    [[nodiscard]] std::uint64_t all() const noexcept { return all_; }
    /// None lies in more places of fragments than so many.
    [[nodiscard]] std::uint64_t longest() const noexcept {
        return std::uint64_t{1} << (std::bit_width(present_ | 1U) - 1);
    }
    friend bool operator==(const fragment_counts&, const fragment_counts&) noexcept = default;

private:
    /// The bits of the number of borders: less than two to their power are crossed.
    [[nodiscard]] static unsigned crossing_of(std::uint64_t start, std::uint64_t length) noexcept {
        assert(length != 0);
        const std::uint64_t last = (start + length - 1) >> fragment_shift;
        return static_cast<unsigned>(std::bit_width(last - (start >> fragment_shift)));
    }

    std::array<std::uint32_t, 32> counts_{};  ///< by that
    std::uint32_t present_ = 0;               ///< a bit for each that is not 0
    std::uint64_t all_ = 0;
};

}  // namespace leat::detail
