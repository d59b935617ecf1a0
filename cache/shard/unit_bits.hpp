// Which units of a chunk have landed, and which have been asked for, at its owner.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace leat::detail {

/// Bits for up to 64 units lie here, those for more in an array of their own.
class unit_bits {
public:
    /// Bits for `words` times 64 units, none of them set. Throws std::bad_alloc.
    explicit unit_bits(std::uint64_t words_) : words(static_cast<std::uint32_t>(words_)) {
        if (words_ != 1) array_ = std::make_unique<std::atomic<std::uint64_t>[]>(2 * words_);
    }
    /// Precondition: nobody else looks at those that move.
    unit_bits(unit_bits&& moved) noexcept
        : everything_landed(moved.everything_landed.load(std::memory_order_relaxed)),
          words(moved.words),
          array_(std::move(moved.array_)) {
        for (std::size_t i = 0; i < own_.size(); ++i)
            own_[i].store(moved.own_[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
    /// Bytes that bits for so many words take besides this.
    [[nodiscard]] static constexpr std::uint64_t bytes_for(std::uint64_t words) noexcept {
        return words == 1 ? 0 : 2 * words * sizeof(std::uint64_t);
    }
    /// Gives an array back: there is none for whom it says anything.
    void forget() noexcept {
        words = 1;
        array_.reset();
    }

    [[nodiscard]] std::atomic<std::uint64_t>* landed_words() noexcept {
        return array_ ? array_.get() : own_.data();
    }
    [[nodiscard]] const std::atomic<std::uint64_t>* landed_words() const noexcept {
        return array_ ? array_.get() : own_.data();
    }
    /// Units landed or in reads in flight.
    [[nodiscard]] std::uint64_t asked_word(std::uint64_t word) const noexcept {
        return landed_words()[words + word].load(std::memory_order_relaxed);
    }
    void set_asked_word(std::uint64_t word, std::uint64_t bits) noexcept {
        landed_words()[words + word].store(bits, std::memory_order_relaxed);
    }

    std::atomic<bool> everything_landed{false};
    std::uint32_t words;

private:
    std::unique_ptr<std::atomic<std::uint64_t>[]> array_;  ///< of landed bits, and then of asked
    std::array<std::atomic<std::uint64_t>, 2> own_{};      ///< landed, and asked
};

}  // namespace leat::detail
