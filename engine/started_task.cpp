// Stop requests, waits and the end of a task that was started.
#include <leat/engine/detail/started_task.hpp>
#include <leat/engine/engine.hpp>
#include <leat/io/detail/misuse.hpp>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace leat::detail {

work started_task::done;
work started_task::abandoned;

started_task::started_task(leat::engine& engine, unsigned shard)
    : home_(engine.at(shard)), outside_(engine.outside_) {}

// The task's side.

void started_task::begin() noexcept {
    if (home_.stopping()) {
        source_.request_stop();
    } else {
        home_.add_stop_listener(engine_stop_);  // no atomics, as the shard itself asks
    }
}

bool started_task::end() noexcept {
    if (engine_stop_.is_linked()) engine_stop_.unlink();
    // What ends because it was asked to is no news.
    news_ = failure() && !home_.engine().stopping() &&
            !(token_.stop_requested() && failure()->code == errc::cancelled);
    return gate_.end();
}

void started_task::stop_arrives() noexcept {
    if (gate_.arrive()) {
        home_.resume(root_);
    } else {
        source_.request_stop();
    }
}

void started_task::report_unseen(bool unseen) noexcept {
    if (!unseen || !news_) return;
    try {
        outside_->report("a task ended by an error: " + to_string(*failure()));
    } catch (...) {  // no memory for the sentence
    }
}

void started_task::complete() noexcept {
    work* const waiter = waiter_.exchange(&done, std::memory_order_acq_rel);
    if (waiter != nullptr && waiter != &abandoned) tell(*waiter);
}

void started_task::turn_away() {
    set_exception(
        std::make_exception_ptr(system_error({errc::stopped, {.doing = activity::task}})));
    static_cast<void>(gate_.end());
    complete();
}

void started_task::tell(work& waiter) noexcept {
    if (waiter_home_ != nullptr) {
        waiter_home_->deliver(waiter);
    } else {
        waiter.run(waiter);
    }
}

void started_task::give_up() noexcept {
    work* waiter = waiter_.load(std::memory_order_acquire);
    do {
        if (waiter == &done || waiter == &abandoned) return;
    } while (!waiter_.compare_exchange_weak(waiter, &abandoned, std::memory_order_acq_rel));
    if (waiter != nullptr) tell(*waiter);
}

// The handle's side.

bool started_task::wait(work& item, shard& from) noexcept {
    return wait_for(item, &from);
}

bool started_task::wait_for(work& item, shard* from) noexcept {
    waiter_home_ = from;
    if (from == nullptr || from->engine().outside_ != outside_) {
        listed_ = outside_->enter(*this);
        if (!listed_) give_up();
    }
    work* nobody = nullptr;
    if (waiter_.compare_exchange_strong(nobody, &item, std::memory_order_acq_rel)) return true;
    leave_outside();
    return false;
}

void started_task::leave_outside() noexcept {
    if (std::exchange(listed_, false)) outside_->leave(*this);
}

/// A thread that waits until it is told.
class started_task::blocked_thread : public work {
public:
    blocked_thread() noexcept : work(&told) {}

    /// Returns whether it was told, rather than stopped or left alone until `limit`.
    bool sleep(io::time_point limit, const std::stop_token& token) {
        const std::stop_callback wake{token, [this] { set(stopped_); }};
        std::unique_lock lock{mutex_};
        const auto awake = [this] { return told_ || stopped_; };
        if (limit == io::time_point::max()) {
            changed_.wait(lock, awake);
        } else {
            changed_.wait_until(lock, limit, awake);
        }
        return told_;
    }

private:
    static void told(work& item) noexcept {
        auto& self = static_cast<blocked_thread&>(item);
        self.set(self.told_);
    }
    void set(bool& flag) noexcept {
        const std::lock_guard lock{mutex_};  // held to the end: then this may be gone
        flag = true;
        changed_.notify_one();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool told_ = false;
    bool stopped_ = false;
};

started_task::waited started_task::block(time_span limit, const std::stop_token& token) {
    const io::time_point until = later(io::clock::now(), limit);
    blocked_thread me;
    if (completed() || !wait_for(me, nullptr)) return waited::ended;
    waited how = waited::ended;
    if (!me.sleep(until, token)) {
        work* mine = &me;
        if (waiter_.compare_exchange_strong(mine, nullptr, std::memory_order_acq_rel)) {
            how = token.stop_requested() ? waited::stopped : waited::timed_out;
        } else {
            me.sleep(io::time_point::max(), {});  // it is being told
        }
    }
    leave_outside();
    return how;
}

void started_task::follow(std::stop_token token) {
    if (token.stop_possible()) passing_.emplace(std::move(token), passer{this});
}

void started_task::request_stop() noexcept {
    // Until this has arrived the task does not end, nor its shard.
    if (gate_.ask()) home_.deliver(stop_request_);
}

void started_task::let_go() noexcept {
    passing_.reset();
    const bool has_ended = gate_.let_go();
    report_unseen(has_ended && !taken_);
}

void started_task::rethrow(bool on_shard) {
    leave_outside();
    if (std::exchange(taken_, true)) [[unlikely]]
        misuse("the outcome of a task was taken twice: get() gives it once");
    if (given_up()) throw system_error({errc::stopped, {.doing = activity::task}});
    outcome::rethrow(on_shard);
}

}  // namespace leat::detail
