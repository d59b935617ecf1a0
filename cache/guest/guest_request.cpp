// Takes a guest's request to its shards, cancels it there, and brings it back.
#include <leat/cache/detail/guest_request.hpp>

namespace leat::detail {

shard& guest_request::place(leat::engine& engine, unsigned elsewhere) noexcept {
    shard* const here = shard::current();
    return here != nullptr && &here->engine() == &engine ? *here : engine.at(elsewhere);
}

void guest_visit::stay() noexcept {
    if (stays_) return;
    stays_ = true;
    where_.hold();
    where_.add_end_listener(*this);
}

void guest_visit::shard_ends(detail::end_listener& one, bool) noexcept {
    auto& visit = static_cast<guest_visit&>(one);
    guest_request& request = visit.request_;
    request.left_behind_.store(true, std::memory_order_relaxed);
    request.turn_away(visit);
    request.end_one();
}

void guest_visit::end() noexcept {
    if (request_.cancellable_) {
        const unsigned before = state_.fetch_or(ended, std::memory_order_acq_rel);
        // A withdrawal on its way here still refers to the request: it ends the visit.
        if ((before & withdrawing) != 0 && withdrawal_.run != nullptr) {
            stay();  // nor does the shard end before that
            return;
        }
    }
    request_.visit_ended(*this);
}

void guest_visit::arrived(work& message) noexcept {
    auto& visit = static_cast<guest_visit&>(message);
    visit.begun_ = true;
    visit.request_.begin(visit);
}

void guest_visit::withdrawn(work& message) noexcept {
    guest_visit& visit = static_cast<withdrawal&>(message).of;
    if (!visit.begun_) {  // between shards it may overtake the visit, which a foreign thread sent
        visit.where_.schedule(message);
        return;
    }
    visit.withdrawal_.run = nullptr;  // it has arrived
    if ((visit.state_.load(std::memory_order_relaxed) & ended) != 0) {
        visit.request_.visit_ended(visit);
    } else {
        visit.request_.withdraw(visit);
    }
}

void guest_request::add(guest_visit& visit) noexcept {
    if (visits_ == nullptr) home_ = &visit.where_;
    visit.next_ = visits_;
    visits_ = &visit;
    left_.store(left_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void guest_request::start() noexcept {
    for (guest_visit* next = visits_; next != nullptr;) {
        guest_visit& visit = *next;
        next = visit.next_;  // once the last is on its way, the request may be gone
        if (shard::current() == &visit.where_) {
            guest_visit::arrived(visit);
        } else if (!visit.where_.post_from_outside(visit)) {
            visit.state_.store(guest_visit::ended, std::memory_order_release);
            turn_away(visit);
            visit_ended(visit);
        }
    }
}

void guest_request::cancel() noexcept {
    for (guest_visit* visit = visits_; visit != nullptr; visit = visit->next_) {
        const unsigned before =
            visit->state_.fetch_or(guest_visit::withdrawing, std::memory_order_acq_rel);
        // Until this arrives the visit does not end, nor the shard.
        if (before == 0) visit->where_.deliver(visit->withdrawal_);
    }
}

void guest_request::visit_ended(guest_visit& visit) noexcept {
    shard* const held = visit.stays_ ? &visit.where_ : nullptr;
    if (held != nullptr) visit.detail::end_listener_hook::unlink();
    end_one();
    if (held != nullptr) held->unhold();
}

void guest_request::end_one() noexcept {
    // What another visit has done is seen by the last one.
    if (left_.load(std::memory_order_acquire) != 1 &&
        left_.fetch_sub(1, std::memory_order_acq_rel) != 1)
        return;
    complete();
}

}  // namespace leat::detail
