// What is always true of a lease, at home and at the owner, between two messages.
#include "lease.hpp"

namespace leat::detail {

const char* lease::fault_at_home() const noexcept {
    if (!leased || home == nullptr) return "a lease is none, or has no home";
    if ((state == home_state::unused) != (file == nullptr))
        return "a lease in use has no file, or an unused one has";
    if (state == home_state::granted &&
        (data() == nullptr || (presence == nullptr && ready_length == 0)))
        return "a granted lease shows no bytes";
    if (state != home_state::granted && (ready_length != 0 || presence != nullptr))
        return "a lease that is not granted grants pins";
    if (pins != 0 && state != home_state::granted && state != home_state::revoked)
        return "slices hold a lease that was not granted";
    if (pins != 0 && state == home_state::revoked && !attention)
        return "the last pin of a revoked lease will not be noticed";
    const bool needed = pins != 0 || outstanding != 0;
    if (needed && (state == home_state::unused || state == home_state::returning))
        return "a lease on its way back is in use";
    if (!needed && (state == home_state::asked || state == home_state::revoked))
        return "a lease that nobody needs is kept";
    if (state == home_state::granted && fleeting && pins != 0 && !attention)
        return "a lease that goes home with its last pin will not notice that";
    return nullptr;
}

const char* lease::fault_at_owner() const noexcept {
    const bool holds =
        at_owner.state != owner_state::none && at_owner.state != owner_state::closing;
    if (holds != (at_owner.chunk != nullptr))
        return "a lease holds no chunk, or one after it was given back";
    if (holds != at_owner.is_linked())
        return "a lease is not among the holders of its chunk, or is after it was given back";
    if (holds && at_owner.generation == 0) return "a lease holds a chunk without a grant";
    return nullptr;
}

}  // namespace leat::detail
