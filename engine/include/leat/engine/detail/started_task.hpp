// What a task that has been started shares with the handle to it.
#pragma once

#include <leat/engine/detail/calling.hpp>
#include <leat/engine/detail/handle_gate.hpp>
#include <leat/engine/detail/outcome.hpp>
#include <leat/engine/detail/outside_waits.hpp>
#include <leat/engine/detail/stop_listener.hpp>
#include <leat/engine/detail/work.hpp>
#include <leat/io/time_span.hpp>

#include <atomic>
#include <coroutine>
#include <memory>
#include <optional>
#include <stop_token>

namespace leat {
class engine;
class shard;
}  // namespace leat

namespace leat::detail {

/// The outcome of a task that runs on a shard by itself, how stop requests reach it, and who waits
/// for its end. Members are for the task's side, on its shard, or for the side of the handle, on
/// one thread at a time, unless said otherwise.
class started_task : public outcome, public outside_wait {
public:
    started_task(leat::engine& engine, unsigned shard);
    started_task(const started_task&) = delete;
    started_task& operator=(const started_task&) = delete;

    // The task's side.

    /// What the task is stopped by: the engine, and whoever holds the handle.
    [[nodiscard]] const std::stop_token& token() const noexcept { return token_; }
    /// The task begins.
    void begin() noexcept;
    /// `co_await ended()`: the task has its outcome, and no stop request is on its way to it any
    /// more. What nobody can take any more is reported.
    class ending {
    public:
        explicit ending(started_task& of) noexcept : of_(of) {}
        [[nodiscard]] bool await_ready() noexcept { return of_.end(); }
        void await_suspend(std::coroutine_handle<> root) noexcept { of_.root_ = root; }
        void await_resume() noexcept { of_.report_unseen(of_.gate_.let_go_before_end()); }

    private:
        started_task& of_;
    };
    [[nodiscard]] ending ended() noexcept { return ending{*this}; }
    /// Last: makes the outcome visible to whoever takes it (release, acquire), and wakes who waits.
    void complete() noexcept;
    /// Instead of all this: the engine does not take it.
    void turn_away();

    // The handle's side.

    [[nodiscard]] bool completed() const noexcept {
        const work* const waiter = waiter_.load(std::memory_order_acquire);
        return waiter == &done || waiter == &abandoned;
    }
    /// Returns false if it has completed already; otherwise `item` is sent to the shard `from` when
    /// it does, or when the engine gives up.
    [[nodiscard]] bool wait(work& item, shard& from) noexcept;
    enum class waited : std::uint8_t { ended, timed_out, stopped };
    /// Blocks the thread until it has completed, `limit` has passed or `token` is stopped.
    [[nodiscard]] waited block(time_span limit, const std::stop_token& token);
    /// Passes stop requests of `token` on until the handle is let go.
    void follow(std::stop_token token);
    /// Any thread: asks the task to stop, by a message to its shard.
    void request_stop() noexcept;
    /// The handle is destroyed. An error that nobody has taken is reported.
    void let_go() noexcept;

    /// Whoever holds outside_waits' lock: nothing will come of the task.
    void give_up() noexcept override;

protected:
    ~started_task() = default;
    /// Before the outcome is taken: throws the error, if there is one.
    void rethrow(bool on_shard);

private:
    struct passer {
        started_task* to;
        void operator()() const noexcept { to->request_stop(); }
    };
    class blocked_thread;

    void stop_arrives() noexcept;
    void engine_stops() noexcept { source_.request_stop(); }
    [[nodiscard]] bool end() noexcept;
    void report_unseen(bool unseen) noexcept;
    [[nodiscard]] bool given_up() const noexcept {
        return waiter_.load(std::memory_order_acquire) == &abandoned;
    }
    [[nodiscard]] bool wait_for(work& item, shard* from) noexcept;
    void tell(work& waiter) noexcept;
    void leave_outside() noexcept;

    static work done;
    static work abandoned;

    shard& home_;  // of the task
    const std::shared_ptr<outside_waits> outside_;
    std::stop_source source_;
    const std::stop_token token_ = source_.get_token();
    calling<stop_listener, &started_task::engine_stops> engine_stop_{*this};
    calling<work, &started_task::stop_arrives> stop_request_{*this};
    handle_gate<> gate_;
    std::coroutine_handle<> root_;
    bool news_ = false;  // an error somebody should hear of

    std::atomic<work*> waiter_{nullptr};  // `done` or `abandoned` at last
    shard* waiter_home_ = nullptr;        // nullptr: a thread
    bool listed_ = false;                 // in outside_
    bool taken_ = false;
    std::optional<std::stop_callback<passer>> passing_;
};

/// With the task's value.
template <class T>
using started_state = outcome_state<T, started_task>;

}  // namespace leat::detail
