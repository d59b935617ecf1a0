// SIEVE: a hand goes from the oldest to the youngest and takes the first that was not used since it
// passed; nothing moves. Source: Zhang et al., SIEVE is Simpler than LRU, NSDI 2024.
#include "policies.hpp"
#include "queue_policy.hpp"

namespace leat::detail {

namespace {

class sieve_policy final : public queue_policy<1> {
public:
    void insert(resident& added) noexcept override { enter(added, 0); }
    void put_back(resident& back) noexcept override { enter(back, 0); }
    void erase(resident& gone) noexcept override {
        if (!gone.in_policy) return;
        if (hand_ == &gone) hand_ = younger(gone);
        leave(gone);
    }
    void replace(resident& moved, resident& by) noexcept override {
        if (hand_ == &moved) hand_ = &by;
        queue_policy::replace(moved, by);
    }

    resident* victim(judge decide, void* state) noexcept override {
        resident_queue& all = queue(0);
        for (std::size_t left = 2 * all.size(); left > 0 && !all.empty(); --left) {
            if (hand_ == nullptr) hand_ = &*all.begin();
            resident& candidate = *hand_;
            const verdict said = decide(state, candidate);
            if (said == verdict::stop) return nullptr;
            hand_ = younger(candidate);
            if (said == verdict::used || passes(said)) continue;
            leave(candidate);
            if (said == verdict::evict) return &candidate;
        }
        return nullptr;
    }

private:
    /// The next younger one, or nullptr: then the hand begins again with the oldest.
    [[nodiscard]] resident* younger(resident& than) noexcept {
        auto next = queue(0).at(than);
        return ++next != queue(0).end() ? &*next : nullptr;
    }

    resident* hand_ = nullptr;
};

}  // namespace

std::unique_ptr<eviction_policy> make_sieve_policy() {
    return std::make_unique<sieve_policy>();
}

}  // namespace leat::detail
