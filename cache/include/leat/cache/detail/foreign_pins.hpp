// Pins of an entry given up on threads that are not its home's.
#pragma once

#include <atomic>
#include <cstdint>

namespace leat::detail {

/// Counts them, and the bytes they spanned, until the home takes both. Any number between two
/// takes: each counter is as wide as the home's own.
template <template <class> class Atomic = std::atomic>
class foreign_pins {
public:
    struct released {
        std::uint64_t pins = 0;
        std::uint64_t bytes = 0;
    };

    foreign_pins() = default;
    /// Of an entry that moves, which is not pinned: there is nothing to take along.
    foreign_pins(const foreign_pins&) noexcept {}
    foreign_pins& operator=(const foreign_pins&) = delete;

    /// Any thread: a pin of `bytes` is given up. Returns whether it is the first since the last
    /// take(): then the caller tells the home. What the caller did with the bytes comes before the
    /// home's take() (release).
    [[nodiscard]] bool release(std::uint64_t bytes) noexcept {
        // Bytes first: the home finds those of each pin that it takes, if perhaps some too early.
        bytes_.fetch_add(bytes, std::memory_order_relaxed);
        return pins_.fetch_add(1, std::memory_order_acq_rel) == 0;
    }
    /// Home: what was given up since the last take. The bytes may be ahead of the pins, never
    /// behind.
    [[nodiscard]] released take() noexcept {
        released all;
        all.pins = pins_.exchange(0, std::memory_order_acq_rel);
        all.bytes = bytes_.exchange(0, std::memory_order_relaxed);
        return all;
    }

private:
    Atomic<std::uint64_t> pins_{0};
    Atomic<std::uint64_t> bytes_{0};
};

}  // namespace leat::detail
