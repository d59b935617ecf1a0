// What a turn does: messages, timers, ready work, messages out, the kernel.
#include "current_scope.hpp"

#include <leat/engine/engine.hpp>
#include <leat/engine/shard.hpp>

#include <algorithm>
#include <cassert>
#include <string>

namespace leat {

namespace {
// On a busy machine every shard stalls now and then: one sentence in so long says enough.
constexpr std::chrono::seconds stall_report_pause{10};

class flag_raised {
public:
    explicit flag_raised(bool& flag) noexcept : flag_(flag) { flag_ = true; }
    flag_raised(const flag_raised&) = delete;
    flag_raised& operator=(const flag_raised&) = delete;
    ~flag_raised() { flag_ = false; }

private:
    bool& flag_;
};
}  // namespace

std::size_t shard::receive() noexcept {
    std::size_t count = 0;
    inbox_.take(ready_);
    doorbell_.answer([&](unsigned sender) {
        detail::mailbox<>* const box =
            engine_.at(sender).outgoing_[index_].box.load(std::memory_order_acquire);
        count += box->consume([](detail::work& message) { message.run(message); });
        assert(box->fault_at_receiver() == nullptr);
    });
    counts_.messages_received += count;
    return count;
}

std::size_t shard::run_ready() noexcept {
    submits_soon_ = false;
    detail::work_queue present;  // what it wakes comes behind it
    present.splice(ready_);
    std::size_t count = run_some(present, 0);
    if (!submits_soon_) count = run_some(ready_, count);
    if (!present.empty()) {
        present.splice(ready_);
        ready_.splice(present);
    }
    return count;
}

std::size_t shard::run_some(detail::work_queue& of, std::size_t count) noexcept {
    // With its hits spent the turn goes on to the device, but messages alone do not spend it.
    for (; count < ready_a_turn && (hits_left_ >= 0 || count == 0); ++count) {
        detail::work* const item = of.pop();
        if (item == nullptr) break;
        watch_.running(reinterpret_cast<void*>(item->run));
        item->run(*item);
        watch_.ended(detail::stall_watch::part::ready_work);
    }
    return count;
}

void shard::flush() noexcept {
    if (dirty_.empty()) return;
    congested_ = false;
    std::size_t kept = 0;
    for (const unsigned target : dirty_) {
        detail::mailbox<>& box = *outgoing_[target].box.load(std::memory_order_relaxed);
        if (box.flush() && engine_.at(target).doorbell_.ring(index_)) {
            ++counts_.doorbells;
            engine_.at(target).backend_->wake();
        }
        assert(box.fault_at_sender() == nullptr);
        if (box.congested()) {
            congested_ = true;
            dirty_[kept++] = target;
        } else {
            outgoing_[target].dirty = false;
        }
    }
    dirty_.resize(kept);
}

bool shard::turn() {
    expect_turn();
    const detail::current_scope here{this};
    const flag_raised turning{in_turn_};
    ++turns_;
    turn_time_ = backend_->now();
    stamp_time_ = std::max(stamp_time_, turn_time_);
    hits_before_ += static_cast<std::uint64_t>(hits_a_turn - hits_left_);
    hits_left_ = hits_a_turn;
    watch_.begin();
    if (stop_due()) {
        stop_deadline_ = later(turn_time_, engine_.options().stop_timeout);
        stop_source_.request_stop();
        while (!stop_listeners_.empty()) {
            detail::stop_listener& listener = stop_listeners_.front();
            stop_listeners_.pop_front();
            listener.on_stop(listener);
        }
    }

    std::size_t done = receive();
    if (!timers_.empty()) done += timers_.expire(turn_time_);
    watch_.ended(detail::stall_watch::part::messages);
    done += run_ready();
    for (const slot where : {slot::cache, slot::asio}) {
        const extension& one = extension_of(where);
        done += one.before_submit(one.state);
    }
    flush();
    watch_.ended(detail::stall_watch::part::cache);
    engine_.expect_own_process();  // somebody may have forked: the ring is not the child's
    done += backend_->run(io::time_point::min());
    // Behind what has been submitted: it takes as long as many hits do.
    if (memory_unprepared()) {
        arena_->prepare();
        ++done;
    }
    watch_.ended(detail::stall_watch::part::kernel);
    if (done != 0) note_stall(turn_time_);
    assert(fault() == nullptr);
    return done != 0;
}

void shard::note_stall(io::time_point begin) noexcept {
    const io::time_point end = backend_->now();
    const std::chrono::nanoseconds length = end - begin;
    counts_.longest_turn = std::max(counts_.longest_turn, length);
    if (length <= engine_.options().stall) return;
    ++counts_.stalls;
    if (end < next_stall_report_) return;
    next_stall_report_ = end + stall_report_pause;
    try {
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
        engine_.report(event::level::warning,
                       "shard " + std::to_string(index_) + " was kept from its loop for " +
                           std::to_string(ms) + " ms, stall " + std::to_string(counts_.stalls) +
                           " of it; what ran longest: " + watch_.describe() +
                           "; if the machine is not busy otherwise, a coroutine that computes " +
                           "long should co_await leat::yield{}");
    } catch (...) {  // no memory for the sentence: the count stands
    }
}

bool shard::stop_due() const noexcept {
    return engine_.stopping() && !stopping();
}

bool shard::memory_unprepared() const noexcept {
    return !stopping() && arena_->unprepared();
}

bool shard::has_work() const noexcept {
    // Who is inside the gate leaves it without a word: a shard that stops waits for that awake.
    return !ready_.empty() || !inbox_.empty() || doorbell_.rung() || stop_due() ||
           (stopping() && inbox_.occupied()) || memory_unprepared() ||
           std::any_of(extensions_.begin(), extensions_.end(), [](const auto& attached) {
               const extension& one = *attached.load(std::memory_order_acquire);
               return one.pending(one.state);
           });
}

}  // namespace leat
