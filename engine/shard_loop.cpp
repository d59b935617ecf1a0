// The loop over turns: when a shard spins and parks, and how it ends.
#include "current_scope.hpp"

#include <leat/engine/engine.hpp>
#include <leat/engine/shard.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace leat {

namespace {
// How long a sender with messages that found no room sleeps before it tries again.
constexpr std::chrono::microseconds congestion_pause{100};

// The share of idle times that must have been short for a shard to spin.
constexpr float worth_spinning = 0.25F;

// Waits that a shard tells when it has to leave them behind.
constexpr std::size_t told_at_end = 10;
}  // namespace

void shard::park(io::time_point limit) {
    expect_turn();
    if (!begin_park()) return;
    const detail::current_scope here{this};
    backend_->run(std::min(limit, next_deadline()));
    end_park();
}

// Declares the shard parked, so that whoever sends to it wakes its backend; false, and nothing
// declared, if there is something to do.
bool shard::begin_park() noexcept {
    const detail::current_scope here{this};
    doorbell_.park();
    if (has_work() || finished()) {
        doorbell_.unpark();
        return false;
    }
    ++counts_.parks;
    return true;
}

// When a parked shard has to turn again though nobody wakes it.
io::time_point shard::next_deadline() const noexcept {
    const io::time_point next = std::min(timers_.next(), stop_deadline_);
    return congested_ ? std::min(next, backend_->now() + congestion_pause) : next;
}

std::chrono::nanoseconds shard::spin_limit() const noexcept {
    const std::chrono::nanoseconds longest = engine_.options().spin;
    // Spinning mostly in vain only burns power. A share of idleness decides, not its mean length:
    // small reads that end soon often alternate with large ones.
    return soon_ >= worth_spinning ? longest : longest / 16;
}

// Of the idle time that has not been counted yet, up to the beginning of this turn.
std::uint64_t shard::idle_time_ns() const noexcept {
    if (!idle_) return 0;
    return static_cast<std::uint64_t>(std::chrono::nanoseconds{turn_time_ - idle_since_}.count());
}

void shard::run() {
    const std::chrono::nanoseconds longest = engine_.options().spin;
    while (!finished()) {
        if (turn()) {
            if (idle_) {
                counts_.idle_ns += idle_time_ns();
                idle_ = false;
                const float came_soon = turn_time_ - idle_since_ <= longest ? 1 : 0;
                soon_ += (came_soon - soon_) / 8;
            }
            continue;
        }
        if (!idle_) {
            idle_ = true;
            idle_since_ = turn_time_;
        }
        if (turn_time_ - idle_since_ < spin_limit()) {
            __builtin_ia32_pause();
            continue;
        }
        park();
    }
}

bool shard::finished() noexcept {
    if (ended_ || !stopping()) return ended_;
    // Roots twice: what passes between the two counts is seen in one of them. Messages that find no
    // room, since their receiver has ended, are for engine::join.
    const bool idle = engine_.roots() == 0 && !engine_.busy() && engine_.roots() == 0 &&
                      backend_->in_flight() == 0 && !has_work() &&
                      // What came in before it closed is seen now.
                      inbox_.close() && !has_work();
    if (!idle && backend_->now() < stop_deadline_) return false;
    abandoned_ = !idle;
    try {
        if (backend_->in_flight() != 0) owed_ = backend_->owed();
    } catch (const std::bad_alloc&) {  // it owes all the same
        owed_ = "operations";
    }
    end();
    return true;
}

void shard::end() noexcept {
    if (ended_) return;
    ended_ = true;
    runs_functions_ = false;
    inbox_.shut();
    if (abandoned_) run_last();
    tell_end();
    if (abandoned_) run_last();
    // Who joins is another thread, which the ring does not serve.
    if (!abandoned_) arena_->unregister();
    std::vector<waiting_task> left;
    if (abandoned_) {
        try {
            left = waiting(told_at_end);
        } catch (const std::bad_alloc&) {  // nobody hears of them
        }
    }
    engine_.shard_ended(std::move(left));
}

// What has come by now is not left unseen: somebody outside may wait for an answer. What it brings
// about here is left behind.
void shard::run_last() noexcept {
    const detail::current_scope here{this};
    detail::work_queue last;
    last.splice(ready_);
    inbox_.take(last);
    while (detail::work* const item = last.pop()) item->run(*item);
}

void shard::tell_end() noexcept {
    const detail::current_scope here{this};
    while (!end_listeners_.empty()) {
        detail::end_listener& one = end_listeners_.front();
        end_listeners_.pop_front();
        one.on_end(one, abandoned_);
    }
}

}  // namespace leat
