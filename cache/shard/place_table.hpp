// A few thousand numbers, found by the hash of where they are.
#pragma once

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace leat::detail {

/// Which of the numbers below `count` are listed under a hash. Chains of buckets, as ever, but
/// apart from what the numbers stand for and with a part of each hash, so that a search that finds
/// nothing stays within this table, which is small: 12 to 20 bytes a number. For one thread;
/// nothing but the constructor allocates.
class place_table {
public:
    static constexpr std::uint32_t most = (1U << 13) - 1;
    static constexpr std::uint32_t none = ~0U;

    /// Up to `most`. Throws std::bad_alloc.
    explicit place_table(std::uint32_t count)
        : mask_(2 * std::bit_ceil(count) - 1),
          first_(std::make_unique<std::uint32_t[]>(mask_ + 1)),
          next_(std::make_unique<std::uint32_t[]>(count)) {
        assert(count <= most);
    }

    /// Precondition: it is listed nowhere.
    void add(std::uint64_t hash, std::uint32_t number) noexcept {
        std::uint32_t& first = first_[hash & mask_];
        next_[number] = first;
        first = tag_of(hash) | (number + 1);
    }
    /// Precondition: it is listed under that hash.
    void remove(std::uint64_t hash, std::uint32_t number) noexcept {
        std::uint32_t* link = &first_[hash & mask_];
        while (number_of(*link) != number) link = &next_[number_of(*link)];
        assert((*link & tag_mask) == tag_of(hash));
        *link = next_[number];
    }
    /// Of those listed under the hash, and others, the one added last of which such(number) is
    /// true; none if there is no such.
    template <class Such>
    [[nodiscard]] std::uint32_t find(std::uint64_t hash, Such such) const {
        for (std::uint32_t link = first_[hash & mask_]; link != 0; link = next_[number_of(link)]) {
            if ((link & tag_mask) == tag_of(hash) && such(number_of(link))) return number_of(link);
        }
        return none;
    }

private:
    // In a link: a number and one in its lower bits, a part of the hash in the others; or 0.
    static constexpr std::uint32_t tag_mask = ~most;
    [[nodiscard]] static std::uint32_t tag_of(std::uint64_t hash) noexcept {
        return static_cast<std::uint32_t>(hash >> 32) & tag_mask;
    }
    [[nodiscard]] static std::uint32_t number_of(std::uint32_t link) noexcept {
        return (link & most) - 1;
    }

    std::uint64_t mask_;
    std::unique_ptr<std::uint32_t[]> first_;
    std::unique_ptr<std::uint32_t[]> next_;
};

}  // namespace leat::detail
