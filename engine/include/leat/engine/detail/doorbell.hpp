// How a sender tells a shard that a mailbox has something, and wakes it only if it is parked.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

namespace leat::detail {

/// One shard's doorbell: a bit for each sender, and whether the shard is parked.
///
/// A sender publishes its message and then rings; the shard declares itself parked and then looks
/// at the bits. Both sides do so in sequentially consistent order, hence at least one of them sees
/// the other: a message is never left behind with the shard asleep (Dekker's argument). The ring is
/// a read-modify-write, the only one on the way of a batch of messages. Doorbells carry no data.
template <template <class> class Atomic = std::atomic>
class doorbell {
public:
    /// For senders 0 ... senders - 1.
    explicit doorbell(unsigned senders)
        : words_((senders + 63) / 64), bits_(std::make_unique<Atomic<std::uint64_t>[]>(words_)) {
        for (unsigned word = 0; word < words_; ++word)
            bits_[word].store(0, std::memory_order_relaxed);
    }

    /// Sender, after publishing. Returns whether the caller must now wake the shard; of several
    /// senders that find it parked, one is told so.
    [[nodiscard]] bool ring(unsigned sender) noexcept {
        bits_[sender / 64].fetch_or(std::uint64_t{1} << (sender % 64), std::memory_order_seq_cst);
        return claim_wake();
    }

    /// For a publication that is itself a sequentially consistent read-modify-write, such as
    /// inbox::push: as ring(), without a bit.
    [[nodiscard]] bool claim_wake() noexcept {
        return parked_.load(std::memory_order_seq_cst) != 0 &&
               parked_.exchange(0, std::memory_order_seq_cst) != 0;
    }

    /// Shard: calls visit(sender) for each that rang since the last time.
    template <class Visit>
    void answer(Visit visit) noexcept {
        for (unsigned word = 0; word < words_; ++word) {
            if (bits_[word].load(std::memory_order_relaxed) == 0) continue;
            std::uint64_t set = bits_[word].exchange(0, std::memory_order_seq_cst);
            for (; set != 0; set &= set - 1) {
                visit(word * 64 + static_cast<unsigned>(std::countr_zero(set)));
            }
        }
    }

    /// Shard: declares itself parked. Then it must look at every place where work may lie, rung()
    /// among them, and unpark() rather than sleep if it finds some.
    void park() noexcept { parked_.store(1, std::memory_order_seq_cst); }
    void unpark() noexcept { parked_.store(0, std::memory_order_relaxed); }
    [[nodiscard]] bool rung() const noexcept {
        for (unsigned word = 0; word < words_; ++word) {
            if (bits_[word].load(std::memory_order_seq_cst) != 0) return true;
        }
        return false;
    }

private:
    unsigned words_;
    std::unique_ptr<Atomic<std::uint64_t>[]> bits_;
    alignas(64) Atomic<std::uint32_t> parked_{0};
};

}  // namespace leat::detail
