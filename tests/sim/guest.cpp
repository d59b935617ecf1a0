// A simulated caller from outside the shards.
#include "guest.hpp"

#include "allocations.hpp"
#include "verdict.hpp"

namespace leat::sim {

guest::guest(workload& in, chunk_manager& from, file of, const chunk_config& config, bool cancels)
    : detail::guest_chunk(from, config), in_(in), file_(std::move(of)), config_(config) {
    made.begun = in.all.now_ns();
    made.version = file_.version();
    made.may_be_refused = config.hint == hint::no_wait;
    if (cancels) set_cancellable();
}

held_slice guest::outcome(boost::system::error_code& code) {
    std::pair<boost::system::error_code, slice> taken = take();
    code = taken.first;
    require(static_cast<bool>(taken.second) != static_cast<bool>(code),
            "a guest got both or neither of a slice and an error");
    return {std::move(taken.second), file_.version(), config_.offset, home().index()};
}

void guest::complete() noexcept {
    const allocations_succeed here;
    in_.guest_ended(*this);
}

}  // namespace leat::sim
