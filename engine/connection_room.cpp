// Grants places to connections, and ends the idle one for the next.
#include <leat/engine/detail/connection_room.hpp>
#include <leat/engine/shard.hpp>

#include <algorithm>
#include <cassert>

namespace leat::detail {

connection_room::~connection_room() {
    home_.remove_timer(patience_);
}

bool connection_room::has_room() const noexcept {
    return open_ < home_.backend().connection_limit();
}

void connection_room::leave(connection_place* place) noexcept {
    assert(open_ > 0);
    --open_;
    if (place != nullptr) {
        busy(*place);
        if (place->ending) --ending_;
    }
    while (!waiting_.empty() && has_room()) {
        room_waiter& next = waiting_.front();
        waiting_.pop_front();
        next.on_room(next);
    }
    assert(fault() == nullptr);
}

const char* connection_room::fault() const noexcept {
    if (ending_ > open_) return "more connections are told to end than are open";
    if (idle_.size() > open_ - ending_) return "more connections are idle than are open";
    if (!idle_.empty()) {
        if (idle_.front().ending || idle_.back().ending)
            return "a connection counts as idle that was told to end";
        if (idle_.front().idle_since > idle_.back().idle_since)
            return "idle connections do not stand in the order in which they became so";
    }
    if (!waiting_.empty() && has_room()) return "accepting waits for room that there is";
    return nullptr;
}

void connection_room::idle(connection_place& place) noexcept {
    busy(place);
    if (place.ending) return;
    place.idle_since = home_.turn_time();
    idle_.push_back(place);
    if (!waiting_.empty()) make_room();
    assert(fault() == nullptr);
}

void connection_room::busy(connection_place& place) noexcept {
    if (place.is_linked()) idle_.erase(idle_.iterator_to(place));
}

void connection_room::wait(room_waiter& one) noexcept {
    if (one.is_linked()) return;
    ++waits_;
    waiting_.push_back(one);
    make_room();
    assert(fault() == nullptr);
}

// Ends an idle connection for each who waits and would have it so.
void connection_room::make_room() noexcept {
    const auto wanted = static_cast<std::size_t>(std::count_if(
        waiting_.begin(), waiting_.end(), [](const room_waiter& one) { return one.ends_idle; }));
    while (ending_ < wanted && !idle_.empty()) {
        connection_place& longest = idle_.front();
        const io::time_point due = longest.idle_since + idle_patience;
        if (due > home_.turn_time()) {
            if (!patience_.pending()) home_.add_timer(patience_, due);
            return;
        }
        idle_.pop_front();
        longest.ending = true;
        ++ending_;
        ++ended_;
        longest.end(longest);
    }
}

}  // namespace leat::detail
