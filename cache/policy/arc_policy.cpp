// ARC: one list for what was used once and one for what was used again; what is wanted soon after
// it was evicted says which of them should be longer. Source: N. Megiddo, D. Modha, ARC: A
// Self-Tuning, Low Overhead Replacement Cache, FAST 2003; T1, T2, B1, B2 and p are its names.
#include "ghost_list.hpp"
#include "policies.hpp"
#include "queue_policy.hpp"

#include <algorithm>

namespace leat::detail {

namespace {

class arc_policy final : public queue_policy<2> {
public:
    explicit arc_policy(std::uint64_t capacity)
        : capacity_(capacity), b1_(2 * capacity), b2_(2 * capacity) {}

    [[nodiscard]] told_uses tell() const noexcept override { return told_uses::all; }

    void expect(std::uint64_t key, std::uint64_t bytes) noexcept override {
        wanted_bytes_ = bytes;
        wanted_in_b1_ = b1_.contains(key);
        wanted_in_b2_ = !wanted_in_b1_ && b2_.contains(key);
        if (wanted_in_b1_) {
            p_ = std::min(static_cast<double>(capacity_),
                          p_ + step(bytes, b2_.bytes(), b1_.bytes()));
        } else if (wanted_in_b2_) {
            p_ -= std::min(p_, step(bytes, b1_.bytes(), b2_.bytes()));
        }
    }
    void set_capacity(std::uint64_t bytes) noexcept override {
        capacity_ = bytes;
        p_ = std::min(p_, static_cast<double>(bytes));
        b1_.set_most(2 * bytes);
        b2_.set_most(2 * bytes);
    }
    [[nodiscard]] std::uint64_t remembered_bytes() const noexcept override {
        return b1_.memory_bytes() + b2_.memory_bytes();
    }
    void insert(resident& added) noexcept override {
        const bool again = b1_.erase(added.key) || b2_.erase(added.key);
        enter(added, again ? t2 : t1);
        wanted_in_b1_ = wanted_in_b2_ = false;
    }
    void put_back(resident& back) noexcept override { enter(back, back.queue); }
    void reused(resident& again) noexcept override {
        if (again.in_policy) {
            move(again, t2);
        } else {
            again.queue = t2;
        }
    }

    resident* victim(judge decide, void* state) noexcept override {
        bool remember = true;
        const auto t1_bytes = static_cast<double>(bytes(t1));
        bool from_t1 = t1_bytes > p_ || (t1_bytes == p_ && wanted_in_b2_);
        if (!wanted_in_b1_ && !wanted_in_b2_) {
            if (bytes(t1) + b1_.bytes() + wanted_bytes_ > capacity_) {
                if (b1_.bytes() != 0) {
                    b1_.erase_oldest();
                } else {
                    from_t1 = true;
                    remember = false;
                }
            } else if (bytes(t1) + bytes(t2) + b1_.bytes() + b2_.bytes() >= 2 * capacity_) {
                b2_.erase_oldest();
            }
        }
        from_t1 = from_t1 && bytes(t1) != 0;
        bool stopped = false;
        // Uses of which reused() has not been told were made elsewhere.
        resident* found = unused(from_t1 ? t1 : t2, t2, decide, state, stopped);
        if (found == nullptr && !stopped)
            found = unused(from_t1 ? t2 : t1, t2, decide, state, stopped);
        if (found != nullptr && remember)
            (found->queue == t1 ? b1_ : b2_).push(found->key, found->bytes, may_remember_more());
        return found;
    }

private:
    static constexpr std::uint8_t t1 = 0;
    static constexpr std::uint8_t t2 = 1;

    [[nodiscard]] static double step(std::uint64_t bytes,
                                     std::uint64_t other,
                                     std::uint64_t own) noexcept {
        return static_cast<double>(bytes) *
               std::max(1.0, static_cast<double>(other) / static_cast<double>(own));
    }

    std::uint64_t capacity_;
    double p_ = 0;  ///< bytes that T1 should have
    ghost_list b1_;
    ghost_list b2_;
    std::uint64_t wanted_bytes_ = 0;
    bool wanted_in_b1_ = false;
    bool wanted_in_b2_ = false;
};

}  // namespace

std::unique_ptr<eviction_policy> make_arc_policy(std::uint64_t capacity) {
    return std::make_unique<arc_policy>(capacity);
}

}  // namespace leat::detail
