// Which units of a chunk have landed, and which have been asked for, at its owner.
#pragma once

#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace leat::detail {

/// One word of each kind, for up to 64 units, lies here, more of them in an array of their own. How
/// many words there are knows whose bits they are: it tells each function, always the same.
class unit_bits {
public:
    using word = std::atomic<std::uint64_t>;

    /// Bits for `words` times 64 units, none of them set. Throws std::bad_alloc.
    explicit unit_bits(std::uint64_t words) : own_{} {
        if (words != 1) many_ = new word[1 + 2 * words]{};
    }
    /// Those that move have none left, if there were many. Precondition: nobody else looks at them.
    unit_bits(unit_bits& moved, std::uint64_t words) noexcept : own_{} {
        if (words != 1) {
            many_ = std::exchange(moved.many_, nullptr);
        } else {
            for (std::size_t i = 0; i < 2; ++i) set(own_[i], get(moved.own_[i]));
        }
    }
    unit_bits(const unit_bits&) = delete;
    unit_bits& operator=(const unit_bits&) = delete;

    /// Gives an array back: there is none for whom it says anything. It has to be done.
    void forget(std::uint64_t words) noexcept {
        if (words != 1) delete[] std::exchange(many_, nullptr);
    }
    /// Bytes that bits for so many words take besides this.
    [[nodiscard]] static constexpr std::uint64_t bytes_for(std::uint64_t words) noexcept {
        return words == 1 ? 0 : (1 + 2 * words) * sizeof(word);
    }

    [[nodiscard]] word* landed(std::uint64_t words) noexcept {
        return words == 1 ? own_ : many_ + 1;
    }
    [[nodiscard]] const word* landed(std::uint64_t words) const noexcept {
        return words == 1 ? own_ : many_ + 1;
    }
    /// Units landed or in reads in flight.
    [[nodiscard]] std::uint64_t asked_word(std::uint64_t words,
                                           std::uint64_t which) const noexcept {
        return get(landed(words)[words + which]);
    }
    void set_asked_word(std::uint64_t words, std::uint64_t which, std::uint64_t bits) noexcept {
        set(landed(words)[words + which], bits);
    }

    /// How many bits are set: of many they are counted here as they are set and cleared.
    [[nodiscard]] std::uint32_t landed_count(std::uint64_t words) const noexcept {
        return words == 1 ? ones(own_[0]) : static_cast<std::uint32_t>(get(many_[0]));
    }
    [[nodiscard]] std::uint32_t asked_count(std::uint64_t words) const noexcept {
        return words == 1 ? ones(own_[1]) : static_cast<std::uint32_t>(get(many_[0]) >> 32);
    }
    void count_landed(std::uint64_t words, std::uint64_t added) noexcept {
        if (words != 1) set(many_[0], get(many_[0]) + added);
    }
    void count_asked(std::uint64_t words, std::int64_t added) noexcept {
        if (words != 1) set(many_[0], get(many_[0]) + (static_cast<std::uint64_t>(added) << 32));
    }

private:
    [[nodiscard]] static std::uint64_t get(const word& of) noexcept {
        return of.load(std::memory_order_relaxed);
    }
    static void set(word& to, std::uint64_t bits) noexcept {
        to.store(bits, std::memory_order_relaxed);
    }
    [[nodiscard]] static std::uint32_t ones(const word& of) noexcept {
        return static_cast<std::uint32_t>(std::popcount(get(of)));
    }

    union {
        word own_[2];  ///< landed, and asked
        word* many_;   ///< the two counts, landed in the lower half; landed bits; asked
    };
};

}  // namespace leat::detail
