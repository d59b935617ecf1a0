// Deadlines on a shard.
#pragma once

#include <leat/engine/detail/work.hpp>
#include <leat/io/backend.hpp>

#include <boost/intrusive/set.hpp>

namespace leat::detail {

/// Runs its `run` on the shard it was added to, once, at or after `deadline`, from the loop and not
/// from the ready queue: once removed it never runs. Intrusive, allocates nothing.
struct timer : work, boost::intrusive::set_base_hook<> {
    using work::work;
    io::time_point deadline{};

    [[nodiscard]] bool pending() const noexcept { return is_linked(); }
    friend bool operator<(const timer& left, const timer& right) noexcept {
        return left.deadline < right.deadline;
    }
};

/// The timers of one shard, by deadline; adding and removing take logarithmic time. One thread.
class timer_queue {
public:
    void add(timer& item) noexcept { timers_.insert(item); }
    /// No effect unless the timer is pending.
    void remove(timer& item) noexcept {
        if (item.pending()) timers_.erase(timers_.iterator_to(item));
    }
    [[nodiscard]] bool empty() const noexcept { return timers_.empty(); }
    /// The earliest deadline, or time_point::max().
    [[nodiscard]] io::time_point next() const noexcept {
        return timers_.empty() ? io::time_point::max() : timers_.begin()->deadline;
    }
    /// Runs the timers whose deadline has come, in order. Returns how many.
    std::size_t expire(io::time_point now) noexcept {
        std::size_t count = 0;
        while (!timers_.empty() && timers_.begin()->deadline <= now) {
            timer& item = *timers_.begin();
            timers_.erase(timers_.begin());
            item.run(item);
            ++count;
        }
        return count;
    }

private:
    boost::intrusive::multiset<timer, boost::intrusive::constant_time_size<false>> timers_;
};

}  // namespace leat::detail
