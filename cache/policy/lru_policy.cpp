// Least recently used: chunks in the order of the uses known, the oldest first.
#include "policy/eviction_policy.hpp"

#include <boost/intrusive/set.hpp>

namespace leat::detail {

namespace {

class lru_policy final : public eviction_policy {
public:
    void insert(resident& added) noexcept override {
        added.in_policy = true;
        added.placed = added.used;
        order_.insert(added);
    }
    void erase(resident& gone) noexcept override {
        if (!gone.in_policy) return;
        gone.in_policy = false;
        order_.erase(order_.iterator_to(gone));
    }
    void put_back(resident& back) noexcept override { insert(back); }

    resident* victim(judge decide, void* state) noexcept override {
        // Other shards go on using what is looked at here: that must not keep this from ending.
        std::size_t left = 2 * order_.size();
        for (auto next = order_.begin(); next != order_.end() && left > 0; --left) {
            resident& oldest = *next++;
            const verdict said = decide(state, oldest);
            if (said == verdict::stop) return nullptr;
            if (said == verdict::pass) continue;
            erase(oldest);
            if (said == verdict::evict) return &oldest;
            if (said == verdict::set_aside) continue;
            insert(oldest);
            // Perhaps it is the oldest all the same.
            if (next == order_.end() || oldest.placed < next->placed)
                next = order_.iterator_to(oldest);
        }
        return nullptr;
    }
    [[nodiscard]] bool empty() const noexcept override { return order_.empty(); }

private:
    struct by_placed {
        using type = std::int64_t;
        type operator()(const resident& one) const noexcept { return one.placed; }
    };
    boost::intrusive::multiset<resident,
                               boost::intrusive::base_hook<resident_order>,
                               boost::intrusive::key_of_value<by_placed>>
        order_;  // the oldest use first
};

}  // namespace

std::unique_ptr<eviction_policy> make_lru_policy() {
    return std::make_unique<lru_policy>();
}

}  // namespace leat::detail
