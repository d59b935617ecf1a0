// Handlers that wait for a shard to complete them, so that they are found when the context that is
// to run them is destroyed first.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace leat::detail {

/// A handler somewhere in memory that may have to be destroyed without being called.
class waiting_handler {
public:
    /// Destroys the handler, and nothing else.
    virtual void abandon() noexcept = 0;

protected:
    ~waiting_handler() = default;
};

/// The waiting handlers of one execution context. Lock-free, but for close().
///
/// Any thread claims a slot for its handler. A shard that completes the handler takes the slot,
/// hands the handler to its context, and frees the slot. close() abandons the handlers whose slots
/// nobody has taken and waits for those that are being handed over, so that no shard touches a
/// context that is gone. A slot's word decides between the two: one compare-and-swap a side.
template <template <class> class Atomic = std::atomic>
class basic_handler_slots {
    struct block;

public:
    /// A place in the table, and where the next claim begins to look.
    class slot {
    public:
        slot() = default;
        [[nodiscard]] explicit operator bool() const noexcept { return in_ != nullptr; }

    private:
        friend class basic_handler_slots;
        slot(block& in, std::size_t at) noexcept : in_(&in), at_(at) {}
        block* in_ = nullptr;
        std::size_t at_ = 0;
    };

    static basic_handler_slots* make() { return new basic_handler_slots; }

    /// Any thread, while the context lives. `hint` is a slot claimed before, or an empty one.
    /// Throws std::bad_alloc. Release: who takes or abandons the handler sees it.
    slot claim(waiting_handler& handler, const slot& hint) {
        block* const begin = hint ? hint.in_ : &first_;
        std::size_t at = hint ? hint.at_ + 1 : 0;
        bool around = false;  // back at `begin`, now for the whole of it
        for (block* in = begin;; at = 0) {
            for (; at < slots_a_block; ++at) {
                waiting_handler* free = nullptr;
                Atomic<waiting_handler*>& word = in->words[at].handler;
                if (word.load(std::memory_order_relaxed) == nullptr &&
                    word.compare_exchange_strong(free, &handler, std::memory_order_release,
                                                 std::memory_order_relaxed)) {
                    return {*in, at};
                }
            }
            block* const next = in->next.load(std::memory_order_acquire);
            in = next != nullptr ? next : &first_;
            if (in != begin) continue;
            if (around) in = &grow(*begin);
            around = true;
        }
    }

    /// Whoever completes `handler`, once. False if it was abandoned: then the slot and the handler
    /// are gone. True: the context lives until free().
    [[nodiscard]] bool take(const slot& mine, waiting_handler& handler) noexcept {
        waiting_handler* expected = &handler;
        if (mine.in_->words[mine.at_].handler.compare_exchange_strong(
                expected, taken(), std::memory_order_acq_rel, std::memory_order_acquire)) {
            return true;
        }
        // Its handler is part of what the caller is about to free.
        while (mine.in_->words[mine.at_].handler.load(std::memory_order_acquire) != gone()) {
        }
        settle(1);
        return false;
    }
    static void free(const slot& mine) noexcept {
        mine.in_->words[mine.at_].handler.store(nullptr, std::memory_order_release);
    }

    /// The end of the context, once, while nobody claims. The table frees itself when the last
    /// abandoned handler's owner has come.
    void close() noexcept {
        std::int64_t abandoned = 0;
        for (block* in = &first_; in != nullptr; in = in->next.load(std::memory_order_acquire)) {
            for (entry& of : in->words) {
                Atomic<waiting_handler*>& word = of.handler;
                if (word.load(std::memory_order_acquire) == nullptr) continue;
                waiting_handler* const found =
                    word.exchange(abandoning(), std::memory_order_acq_rel);
                if (found == taken()) {
                    while (word.load(std::memory_order_acquire) != nullptr) {
                    }
                } else if (found != nullptr) {
                    ++abandoned;
                    found->abandon();
                    word.store(gone(), std::memory_order_release);
                }
            }
        }
        settle(excess - abandoned);
    }

private:
    // A line each: the context's threads and the shards write neighbours at the same time.
    struct alignas(64) entry {
        Atomic<waiting_handler*> handler{nullptr};
    };
    static constexpr std::size_t slots_a_block = 64;
    struct block {
        std::array<entry, slots_a_block> words{};
        Atomic<block*> next{nullptr};
    };
    // Far above any number of handlers until close() takes it away, so that 0 is reached after it.
    static constexpr std::int64_t excess = std::int64_t{1} << 62;

    basic_handler_slots() = default;
    ~basic_handler_slots() {
        for (block* in = first_.next.load(std::memory_order_acquire); in != nullptr;) {
            block* const next = in->next.load(std::memory_order_relaxed);
            delete in;
            in = next;
        }
    }

    static waiting_handler* taken() noexcept {
        return reinterpret_cast<waiting_handler*>(std::uintptr_t{1});
    }
    static waiting_handler* abandoning() noexcept {
        return reinterpret_cast<waiting_handler*>(std::uintptr_t{2});
    }
    static waiting_handler* gone() noexcept {
        return reinterpret_cast<waiting_handler*>(std::uintptr_t{3});
    }
    /// A new block at the end, which is reached from `from`.
    static block& grow(block& from) {
        auto* const made = new block;
        for (block* last = &from;;) {
            block* next = nullptr;
            if (last->next.compare_exchange_strong(next, made, std::memory_order_acq_rel,
                                                   std::memory_order_acquire)) {
                return *made;
            }
            last = next;
        }
    }
    void settle(std::int64_t count) noexcept {
        if (left_.fetch_sub(count, std::memory_order_acq_rel) == count) delete this;
    }

    block first_;
    Atomic<std::int64_t> left_{excess};
};

using handler_slots = basic_handler_slots<>;

}  // namespace leat::detail
