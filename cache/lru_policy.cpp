#include "eviction_policy.hpp"

#include <boost/intrusive/list.hpp>

namespace leat {

namespace {

class lru_policy final : public eviction_policy {
public:
    void insert(resident& added) noexcept override {
        added.in_policy = true;
        order_.push_front(added);
    }
    void erase(resident& gone) noexcept override {
        if (!gone.in_policy) return;
        gone.in_policy = false;
        order_.erase(order_.iterator_to(gone));
    }
    void put_back(resident& back) noexcept override { insert(back); }

    resident* victim(judge decide, void* state) noexcept override {
        // Twice round at most: the first may find every chunk used since the last search.
        for (std::size_t left = 2 * order_.size(); left > 0 && !order_.empty(); --left) {
            resident& oldest = order_.back();
            const verdict said = decide(state, oldest);
            order_.pop_back();
            oldest.in_policy = false;
            if (said == verdict::evict) return &oldest;
            if (said == verdict::used) insert(oldest);
        }
        return nullptr;
    }

private:
    boost::intrusive::list<resident> order_;  // youngest first
};

}  // namespace

std::unique_ptr<eviction_policy> make_lru_policy() {
    return std::make_unique<lru_policy>();
}

}  // namespace leat
