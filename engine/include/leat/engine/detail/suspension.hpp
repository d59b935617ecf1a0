// What a suspended coroutine needs to be resumed exactly once, on its shard, stopped or not.
#pragma once

#include <leat/engine/detail/calling.hpp>
#include <leat/engine/detail/listed_wait.hpp>
#include <leat/engine/shard.hpp>
#include <leat/engine/task.hpp>

#include <atomic>
#include <coroutine>
#include <optional>
#include <stop_token>

namespace leat::detail {

/// A coroutine suspended on a shard, and its stop token. The base of awaiters that wait for
/// something.
///
/// The awaiter calls suspend(), starts what it waits for, and later calls finish() once, on the
/// same shard; the coroutine is then resumed by the shard's ready queue. If a stop is requested
/// meanwhile, from any thread, `on_stop` is called once on the shard, never after finish(): it asks
/// for an early end, after which finish() is still due. While it waits it is listed with its shard,
/// and awaits() tells what for.
class suspension : public detail::listed_wait {
public:
    using stop_function = void (*)(suspension&) noexcept;

    suspension() = default;
    suspension(const suspension&) = delete;
    suspension& operator=(const suspension&) = delete;

    /// Remembers the coroutine, its stop token and its name.
    template <class Promise>
    void suspend(std::coroutine_handle<Promise> coroutine, stop_function on_stop) {
        suspend(coroutine, stop_of(coroutine), name_of(coroutine), on_stop);
    }
    /// As above. `token` and `name` may be nullptr; otherwise they must live until finish().
    void suspend(std::coroutine_handle<> coroutine,
                 const std::stop_token* token,
                 const char* name,
                 stop_function on_stop) {
        coroutine_ = coroutine;
        home_ = &this_shard();
        on_stop_ = on_stop;
        home_->list_wait(*this, name);
        if (token != nullptr && token->stop_possible()) token_ = token;
    }
    /// Whether a stop was requested already: then the awaiter need not start anything.
    [[nodiscard]] bool stop_requested() const noexcept {
        return token_ != nullptr && token_->stop_requested();
    }
    /// Begins to listen for stop requests; call it last in await_suspend. If a stop was requested
    /// in between, on_stop runs from the ready queue, not from inside.
    void listen() {
        if (token_ == nullptr || finished_) return;
        if (token_ == &home_->stop_token() && !home_->stopping()) {
            home_->add_stop_listener(
                listener_);  // no atomics, as the shard itself requests that stop
        } else {
            callback_.emplace(*token_, notifier{this});
        }
    }

    /// Instead of listen() and finish(): what is awaited has ended already, and await_suspend
    /// returns false.
    void not_suspended() noexcept { leave_list(); }

    /// The end of the wait: the coroutine will be resumed from the ready queue.
    void finish() noexcept {
        if (settle()) home_->schedule(resume_);
    }
    /// As finish(), but returns whether the caller is to resume() the coroutine, now or later: not
    /// if a stop request is on its way through the ready queue, which then does.
    [[nodiscard]] bool settle() noexcept {
        finished_ = true;
        leave_list();
        if (listener_.is_linked()) listener_.unlink();
        callback_.reset();  // waits for a notifier that runs on another thread
        return !stop_sent_.load(std::memory_order_acquire);
    }
    /// Resumes the coroutine, which may destroy this.
    void resume() noexcept { home_->resume(coroutine_); }

    [[nodiscard]] shard& home() const noexcept { return *home_; }

    /// The error of a wait that a stop request ended.
    [[nodiscard]] errc stop_reason() const noexcept {
        return home_->stopping() ? errc::stopped : errc::cancelled;
    }

protected:
    ~suspension() = default;

private:
    struct notifier {
        suspension* self;
        void operator()() const noexcept { self->notify(); }
    };
    void notify() noexcept {
        if (stop_sent_.exchange(true, std::memory_order_acq_rel)) return;
        if (shard::current() == home_) {
            home_->schedule(stop_);
        } else {
            home_->send_from_outside(stop_);
        }
    }
    void stop_here() noexcept {
        if (finished_) {
            resume();
            return;
        }
        stop_sent_.store(false, std::memory_order_relaxed);
        on_stop_(*this);
    }

    std::coroutine_handle<> coroutine_;
    shard* home_ = nullptr;
    const std::stop_token* token_ = nullptr;
    stop_function on_stop_ = nullptr;
    calling<work, &suspension::resume> resume_{*this};
    calling<work, &suspension::stop_here> stop_{*this};
    calling<stop_listener, &suspension::notify> listener_{*this};
    std::atomic<bool> stop_sent_{false};
    bool finished_ = false;
    std::optional<std::stop_callback<notifier>> callback_;
};

}  // namespace leat::detail
