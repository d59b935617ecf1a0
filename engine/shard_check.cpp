// What is always true of a shard, between two turns.
#include <leat/engine/engine.hpp>
#include <leat/engine/shard.hpp>

#include <algorithm>

namespace leat {

const char* shard::fault() const noexcept {
    if (const char* const wrong = fault_of_routes()) return wrong;
    if (const char* const wrong = fault_of_end()) return wrong;
    if (const char* const wrong = inbox_.fault()) return wrong;
    if (const char* const wrong = frames_.fault()) return wrong;
    if (hits_left_ > hits_a_turn) return "a turn has more hits left than it began with";
    if (holds_ != 0 && engine_.roots() <= 0) return "a shard is held and its engine may end";
    if (!waits_.empty() && waits_.front().since() > waits_.back().since())
        return "waits do not stand in the order in which they began";
    return backend_ ? connections_.fault() : nullptr;
}

const char* shard::fault_of_routes() const noexcept {
    const auto listed = [this](unsigned target) {
        return std::count(dirty_.begin(), dirty_.end(), target) == 1;
    };
    std::size_t dirty = 0;
    for (unsigned target = 0; target < outgoing_.size(); ++target) {
        const route& way = outgoing_[target];
        const detail::mailbox<>* const box = way.box.load(std::memory_order_relaxed);
        if (way.by_inbox && box != nullptr) return "messages to a shard go two ways";
        if (way.dirty && (box == nullptr || !listed(target)))
            return "messages are to be sent by nobody";
        dirty += way.dirty ? 1 : 0;
        if (box == nullptr) continue;
        if (const char* const wrong = box->fault_at_sender()) return wrong;
        if (box->congested() && !way.dirty) return "messages wait that nobody sends on";
    }
    if (dirty != dirty_.size()) return "a shard is to be sent what there is not";
    if (congested_ && dirty_.empty()) return "a shard has messages that wait, and none to send";
    return nullptr;
}

const char* shard::fault_of_end() const noexcept {
    if (stopping() && !stop_listeners_.empty()) return "a stop was not told to all who listen";
    if (!stopping() && stop_deadline_ != io::time_point::max())
        return "a shard counts down to its end before it stops";
    if (ended() && runs_functions_) return "a shard has ended and still runs functions";
    if (!owed_.empty() && !abandoned_) return "a shard owes operations and was not given up";
    return nullptr;
}

}  // namespace leat
