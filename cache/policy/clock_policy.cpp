// CLOCK: who came first goes first, unless it was used since: then it comes again.
// Source: F. J. Corbato, A Paging Experiment with the Multics System, 1968.
#include "policies.hpp"
#include "queue_policy.hpp"

namespace leat::detail {

namespace {

class clock_policy final : public queue_policy<1> {
public:
    void insert(resident& added) noexcept override { enter(added, 0); }
    void put_back(resident& back) noexcept override { enter(back, 0); }

    resident* victim(judge decide, void* state) noexcept override {
        bool stopped = false;
        return unused(0, 0, decide, state, stopped);
    }
};

}  // namespace

std::unique_ptr<eviction_policy> make_clock_policy() {
    return std::make_unique<clock_policy>();
}

}  // namespace leat::detail
