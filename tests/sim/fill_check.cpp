// Checks which bytes are read how often.
#include "fill_check.hpp"

#include "allocations.hpp"
#include "shard/chunk.hpp"
#include "shard/fill_queue.hpp"
#include "verdict.hpp"

#include <leat/cache/detail/manager_access.hpp>

#include <algorithm>

namespace leat::sim {

namespace {
/// Whether somebody waits for units of it that no read in flight brings.
bool demanded(const detail::fill_state& fill) {
    const detail::chunk& one = *fill.of;
    return std::any_of(fill.waiters.begin(), fill.waiters.end(),
                       [&](const detail::chunk_request& waiter) {
                           return !waiter.asked_ahead &&
                                  one.next(one.first_unit(waiter), false) <= one.last_unit(waiter);
                       });
}

bool asked_ahead(const detail::fill_state& one) {
    return std::any_of(one.waiters.begin(), one.waiters.end(),
                       [](const detail::chunk_request& waiter) { return waiter.asked_ahead; });
}
}  // namespace

void fill_check::look(const chunk_manager& manager, unsigned shard) {
    const allocations_succeed here;
    detail::fill_queue& queue = detail::manager_access::core(manager).fills[shard];
    for (const detail::fill_state& one : queue.of(detail::fill_rank::demanded))
        require(demanded(one), "a chunk keeps a rank that nobody gives it who waits");
    for (const detail::fill_state& one : queue.of(detail::fill_rank::ahead))
        require(asked_ahead(one), "a chunk counts as asked ahead that nobody asks for");
    for (const detail::fill_state& one : queue.of(detail::fill_rank::entered))
        require(asked_ahead(one) && one.of->ever_used(),
                "a chunk counts as entered that nobody goes through");
    for (const detail::fill_state& one : queue.of(detail::fill_rank::rest))
        require(!one.waiters.empty() || one.of->ever_used(),
                "a chunk is to be read that nobody waits for and nobody has used");
    state& before = before_[{&detail::manager_access::core(manager), shard}];
    state now{queue.background_in_flight(), {}};
    bool waits_still = false;
    // Reads that begin may demand some of a lower manager: those wait for the next turn.
    for (const detail::fill_state& one : queue.of(detail::fill_rank::demanded)) {
        const waited_for what{&one, one.of->file_number, one.of->piece.number()};
        waits_still = waits_still || before.waited.contains(what);
        now.waited.insert(what);
    }
    require(!waits_still || now.in_background <= before.in_background,
            "a read that nobody waits for goes before those that somebody waits for");
    before = std::move(now);
    watch_.check_wanted();
    const char* const fault = detail::manager_access::cache(manager)->at(shard).fault();
    require(fault == nullptr, fault);
}

}  // namespace leat::sim
