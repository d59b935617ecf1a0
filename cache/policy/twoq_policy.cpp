// 2Q: what comes for the first time passes through a short queue, what comes again soon after it
// has left stays by recency. Source: T. Johnson, D. Shasha, 2Q: A Low Overhead High Performance
// Buffer Management Replacement Algorithm, VLDB 1994, with its sizes: a quarter for the queue, half
// of the memory remembered.
#include "ghost_list.hpp"
#include "policies.hpp"
#include "queue_policy.hpp"
#include "use_order.hpp"

namespace leat::detail {

namespace {

class twoq_policy final : public queue_policy<1> {
public:
    explicit twoq_policy(std::uint64_t capacity)
        : most_once_(capacity / 4), remembered_(capacity / 2) {}

    void expect(std::uint64_t key, std::uint64_t) noexcept override { remembered_.refresh(key); }
    void set_capacity(std::uint64_t bytes) noexcept override {
        most_once_ = bytes / 4;
        remembered_.set_most(bytes / 2);
    }
    [[nodiscard]] std::uint64_t remembered_bytes() const noexcept override {
        return remembered_.memory_bytes();
    }
    void insert(resident& added) noexcept override {
        if (remembered_.erase(added.key)) {
            enter_again(added);
        } else {
            enter(added, once);
        }
    }
    void put_back(resident& back) noexcept override {
        if (back.queue == again) {
            enter_again(back);
        } else {
            enter(back, once);
        }
    }
    void served(resident& landed) noexcept override {
        if (landed.queue != again) return;
        again_.erase(landed);
        again_.insert(landed);
    }
    void erase(resident& gone) noexcept override {
        if (!gone.in_policy || gone.queue == once) return queue_policy::erase(gone);
        gone.in_policy = false;
        again_.erase(gone);
    }
    void replace(resident& moved, resident& by) noexcept override {
        if (moved.queue == once) return queue_policy::replace(moved, by);
        again_.replace(moved, by);
    }
    [[nodiscard]] bool empty() const noexcept override {
        return queue_policy::empty() && again_.empty();
    }

    resident* victim(judge decide, void* state) noexcept override {
        bool stopped = false;
        const bool from_once = bytes(once) > most_once_ || again_.empty();
        resident* found = from_once ? first_of_once(decide, state, stopped)
                                    : again_.victim(decide, state, stopped);
        if (found != nullptr || stopped) return found;
        // None of them could go: one of the others may.
        return from_once ? again_.victim(decide, state, stopped)
                         : first_of_once(decide, state, stopped);
    }

private:
    static constexpr std::uint8_t once = 0;   ///< the queue
    static constexpr std::uint8_t again = 1;  ///< the order

    void enter_again(resident& added) noexcept {
        added.in_policy = true;
        added.queue = again;
        again_.insert(added);
    }
    resident* first_of_once(judge decide, void* state, bool& stopped) noexcept {
        resident* const found = oldest(once, decide, state, stopped);
        if (found != nullptr) remembered_.push(found->key, found->bytes, may_remember_more());
        return found;
    }

    use_order again_;
    std::uint64_t most_once_;
    ghost_list remembered_;
};

}  // namespace

std::unique_ptr<eviction_policy> make_twoq_policy(std::uint64_t capacity) {
    return std::make_unique<twoq_policy>(capacity);
}

}  // namespace leat::detail
