// LRU: the least recently used goes first, exactly, as far as stamps tell.
#include "policies.hpp"
#include "use_order.hpp"

namespace leat::detail {

namespace {

class lru_policy final : public eviction_policy {
public:
    void insert(resident& added) noexcept override {
        added.in_policy = true;
        order_.insert(added);
    }
    void erase(resident& gone) noexcept override {
        if (!gone.in_policy) return;
        gone.in_policy = false;
        order_.erase(gone);
    }
    void replace(resident& moved, resident& by) noexcept override { order_.replace(moved, by); }
    void put_back(resident& back) noexcept override { insert(back); }
    void served(resident& landed) noexcept override {
        order_.erase(landed);
        order_.insert(landed);
    }
    resident* victim(judge decide, void* state) noexcept override {
        bool stopped = false;
        return order_.victim(decide, state, stopped);
    }
    [[nodiscard]] bool empty() const noexcept override { return order_.empty(); }

private:
    use_order order_;
};

}  // namespace

std::unique_ptr<eviction_policy> make_lru_policy() {
    return std::make_unique<lru_policy>();
}

}  // namespace leat::detail
