// Messages from one shard to one other: a bounded single-producer single-consumer ring.
#pragma once

#include <leat/engine/detail/work.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace leat::detail {

/// The messages that one shard sends to another, in order.
///
/// The producer posts as often as it likes and publishes once a turn by flush(); what does not fit
/// into the ring waits, in order, in the producer's own list, so that nothing blocks, allocates or
/// fails. Everything the producer wrote before flush() is seen by the consumer that takes the
/// message (release store of the tail, acquire load). A template over its atomics, so that a test
/// can explore interleavings; Lamport's queue with cached indices.
///
/// Invariants, each told by one of the sentences of fault_at_sender() and fault_at_receiver(): the
/// ring holds at most its capacity, and nothing is taken that was not published; messages wait only
/// while the ring is full, and are counted; what was taken has given its place back.
template <template <class> class Atomic = std::atomic, std::uint32_t Capacity = 512>
class mailbox {
    static_assert((Capacity & (Capacity - 1)) == 0);

public:
    /// Producer: adds a message, not yet visible to the consumer.
    void post(work& message) noexcept {
        ++posted_;
        if (waiting_.empty() && has_room()) {
            slots_[filled_++ & mask] = &message;
        } else {
            waiting_.push(message);
            ++overflows_;
        }
    }

    /// Producer: makes all that fits visible. Returns whether anything new is.
    bool flush() noexcept {
        while (!waiting_.empty() && has_room()) slots_[filled_++ & mask] = waiting_.pop();
        if (filled_ == published_) return false;
        published_ = filled_;
        tail_.store(filled_, std::memory_order_release);
        return true;
    }

    /// Producer: whether messages wait for room.
    [[nodiscard]] bool congested() const noexcept { return !waiting_.empty(); }
    /// Producer: how many messages were posted, and how many of them had to wait for room.
    [[nodiscard]] std::uint64_t posted() const noexcept { return posted_; }
    [[nodiscard]] std::uint64_t overflows() const noexcept { return overflows_; }

    /// Consumer: calls take(work&) on each visible message, oldest first. Returns how many.
    template <class Take>
    std::uint32_t consume(Take take) noexcept {
        const std::uint32_t tail = tail_.load(std::memory_order_acquire);
        const std::uint32_t count = tail - taken_;
        std::uint32_t fetched = taken_;
        while (taken_ != tail) {
            // Each message lies in a cache line that its sender has written: they come side by side
            // rather than one after the other.
            while (fetched != tail && fetched - taken_ <= fetched_ahead)
                __builtin_prefetch(slots_[fetched++ & mask], 1);
            work* const message = slots_[taken_++ & mask];
            take(*message);
        }
        if (count != 0) head_.store(taken_, std::memory_order_release);
        return count;
    }

    /// Producer: nullptr, or which invariant is broken.
    [[nodiscard]] const char* fault_at_sender() const noexcept {
        const std::uint32_t held = filled_ - head_seen_;
        if (held > Capacity) return "a mailbox is fuller than it has room for";
        if (filled_ - published_ > held) return "messages were taken that were not published";
        if (!waiting_.empty() && held < Capacity) return "messages wait though there is room";
        if (overflows_ > posted_ || (!waiting_.empty() && overflows_ == 0))
            return "messages that waited for room are counted wrongly";
        return nullptr;
    }
    /// Consumer: as above, outside consume().
    [[nodiscard]] const char* fault_at_receiver() const noexcept {
        if (head_.load(std::memory_order_relaxed) != taken_)
            return "a message was taken and its place not given back";
        if (tail_.load(std::memory_order_acquire) - taken_ > Capacity)
            return "more messages are visible than a mailbox holds";
        return nullptr;
    }

private:
    friend struct tampering;  // tests break what fault() tells
    static constexpr std::uint32_t mask = Capacity - 1;
    static constexpr std::uint32_t fetched_ahead = 8;

    [[nodiscard]] bool has_room() noexcept {
        if (filled_ - head_seen_ < Capacity) return true;
        head_seen_ = head_.load(std::memory_order_acquire);
        return filled_ - head_seen_ < Capacity;
    }

    // Producer's line.
    alignas(64) std::uint32_t filled_ = 0;
    std::uint32_t published_ = 0;
    std::uint32_t head_seen_ = 0;
    std::uint64_t posted_ = 0;
    std::uint64_t overflows_ = 0;
    work_queue waiting_;
    alignas(64) Atomic<std::uint32_t> tail_{0};
    // Consumer's line.
    alignas(64) Atomic<std::uint32_t> head_{0};
    std::uint32_t taken_ = 0;
    alignas(64) std::array<work*, Capacity> slots_{};
};

}  // namespace leat::detail
