#include "fill_check.hpp"

#include "allocations.hpp"
#include "fill_queue.hpp"
#include "verdict.hpp"

#include <algorithm>

namespace leat::sim {

namespace {
/// Whether somebody waits for units of it that no read in flight brings.
bool demanded(const chunk& one) {
    return std::any_of(one.waiters.begin(), one.waiters.end(), [&](const chunk_request& waiter) {
        return !waiter.asked_ahead &&
               one.next(one.first_unit(waiter), false) <= one.last_unit(waiter);
    });
}

bool asked_ahead(const chunk& one) {
    return std::any_of(one.waiters.begin(), one.waiters.end(),
                       [](const chunk_request& waiter) { return waiter.asked_ahead; });
}
}  // namespace

void fill_check::look(const chunk_manager& manager, unsigned shard) {
    const allocations_succeed here;
    fill_queue& queue = manager.core().fills[shard];
    for (const chunk& one : queue.of(fill_rank::demanded))
        require(demanded(one), "a chunk keeps a rank that nobody gives it who waits");
    for (const chunk& one : queue.of(fill_rank::ahead))
        require(asked_ahead(one), "a chunk counts as asked ahead that nobody asks for");
    for (const chunk& one : queue.of(fill_rank::rest))
        require(!one.waiters.empty() || one.ever_used(),
                "a chunk is to be read that nobody waits for and nobody has used");
    unsigned& before = in_background_[{&manager.core(), shard}];
    require(queue.of(fill_rank::demanded).empty() || queue.background_in_flight <= before,
            "a read that nobody waits for goes before those that somebody waits for");
    before = queue.background_in_flight;
    watch_.check_wanted();
}

}  // namespace leat::sim
