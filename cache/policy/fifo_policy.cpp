// FIFO: who came first goes first, used or not.
#include "policies.hpp"
#include "queue_policy.hpp"

namespace leat::detail {

namespace {

class fifo_policy final : public queue_policy<1> {
public:
    void insert(resident& added) noexcept override { enter(added, 0); }
    void put_back(resident& back) noexcept override { enter(back, 0); }
    resident* victim(judge decide, void* state) noexcept override {
        bool stopped = false;
        return oldest(0, decide, state, stopped);
    }
};

}  // namespace

std::unique_ptr<eviction_policy> make_fifo_policy() {
    return std::make_unique<fifo_policy>();
}

}  // namespace leat::detail
