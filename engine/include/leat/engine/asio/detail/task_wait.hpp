// What a task awaits while an Asio operation runs, and the handler that ends the wait.
#pragma once

#include <leat/engine/asio/detail/task_result.hpp>
#include <leat/engine/asio/shard_executor.hpp>
#include <leat/engine/detail/frame_allocator.hpp>
#include <leat/engine/detail/suspension.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/redirect_error.hpp>

#include <atomic>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace leat::detail {

/// What the handlers of waiting tasks have in common.
struct task_handler {};

/// How a waiting task cancels the one operation it waits for, if that is one of leat's own: a
/// cancellation slot would allocate for each wait.
struct cancel_hook {
    void (*cancel)(void* operation) noexcept = nullptr;
    void* operation = nullptr;
};

/// Whether a handler is a waiting task's, or passes its arguments on to that in another form: then
/// the operation is the only one that the task waits for.
template <class Handler>
inline constexpr bool waits_alone = std::is_base_of_v<task_handler, Handler>;
template <class Handler>
inline constexpr bool waits_alone<boost::asio::detail::as_tuple_handler<Handler>> =
    waits_alone<Handler>;
template <class Handler>
inline constexpr bool waits_alone<boost::asio::detail::redirect_error_handler<Handler>> =
    waits_alone<Handler>;

/// The hook of a handler that waits alone; Asio hands the question on through those others.
template <class Handler, class Candidate = std::nullptr_t>
struct associated_cancel_hook {
    using type = cancel_hook*;
    [[nodiscard]] static type get(const Handler& handler, Candidate candidate = {}) noexcept {
        if constexpr (std::is_base_of_v<task_handler, Handler>) {
            return handler.hook();
        } else {
            return boost::asio::associator<leat::detail::associated_cancel_hook, Handler,
                                           Candidate>::get(handler, candidate);
        }
    }
};

/// A coroutine on a shard that waits for a completion handler with the signature
/// void(Arguments...) to be called, or destroyed, on whatever thread; it resumes once, on its
/// shard.
template <class... Arguments>
class task_wait : public suspension {
public:
    task_wait() = default;

    class handler;

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    decltype(auto) await_resume() {
        const errc stopped = cancelled_ ? stop_reason() : errc{};
        if (!values_) throw_dropped(stopped);
        return task_result<Arguments...>::take(std::move(*values_), stopped);
    }

protected:
    ~task_wait() = default;

    /// Suspends `coroutine` and calls initiate(handler). Returns false if that has ended already.
    template <class Promise, class Initiate>
    [[nodiscard]] bool begin(std::coroutine_handle<Promise> coroutine, Initiate&& initiate) {
        suspend(coroutine, &cancel);
        busy_ = true;
        std::forward<Initiate>(initiate)(handler(*this));
        busy_ = false;
        if (ended_) {
            not_suspended();
            return false;
        }
        listen();
        return true;
    }

private:
    template <class... Values>
    void complete(Values&&... values) {
        values_.emplace(std::forward<Values>(values)...);
        completed_.store(true, std::memory_order_relaxed);
        if (shard::current() == &home()) {
            end();
        } else {
            send();
        }
    }
    /// The handler was destroyed uncalled: whoever did that must not find the coroutine resumed
    /// inside.
    void dropped() noexcept {
        completed_.store(true, std::memory_order_relaxed);
        if (shard::current() != &home()) {
            send();
        } else if (busy_) {
            end();
        } else {
            home().schedule(arrived_);
        }
    }
    // The task that waits keeps its shard from ending.
    void send() noexcept { static_cast<void>(home().post_from_outside(arrived_)); }

    void end() noexcept {
        ended_ = true;
        // From inside the initiating function, or out of a cancellation: they go on with this.
        if (busy_) {
            if (initiated_) finish();
            return;
        }
        if (settle()) resume();
    }
    void arrive() noexcept {
        if (settle()) resume();
    }
    static void cancel(suspension& waiting) noexcept {
        auto& self = static_cast<task_wait&>(waiting);
        if (self.completed_.load(std::memory_order_relaxed)) return;
        self.cancelled_ = true;
        self.busy_ = self.initiated_ = true;
        if (self.hook_.operation != nullptr) {
            self.hook_.cancel(self.hook_.operation);
        } else {
            self.signal_.emit(boost::asio::cancellation_type::terminal);
        }
        self.busy_ = false;
    }

    std::optional<std::tuple<std::decay_t<Arguments>...>> values_;
    boost::asio::cancellation_signal signal_;
    cancel_hook hook_;
    calling<work, &task_wait::arrive> arrived_{*this};
    std::atomic<bool> completed_{false};
    bool busy_ = false;       // inside the initiating function or a cancellation
    bool initiated_ = false;  // then: the latter
    bool ended_ = false;
    bool cancelled_ = false;
};

/// The completion handler. Its memory is the frame pool's, its executor the awaiting shard's, its
/// cancellation slot that of the wait.
template <class... Arguments>
class task_wait<Arguments...>::handler : public task_handler {
public:
    using executor_type = shard_executor;
    using allocator_type = frame_allocator<void>;
    using cancellation_slot_type = boost::asio::cancellation_slot;

    explicit handler(task_wait& wait) noexcept : wait_(&wait) {}
    handler(handler&& other) noexcept : wait_(std::exchange(other.wait_, nullptr)) {}
    handler& operator=(handler&&) = delete;
    ~handler() {
        if (wait_ != nullptr) wait_->dropped();
    }

    [[nodiscard]] executor_type get_executor() const noexcept {
        return executor_type(wait_->home());
    }
    [[nodiscard]] allocator_type get_allocator() const noexcept { return {}; }
    [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept {
        return wait_->signal_.slot();
    }

    [[nodiscard]] cancel_hook* hook() const noexcept { return &wait_->hook_; }

    template <class... Values>
    void operator()(Values&&... values) {
        std::exchange(wait_, nullptr)->complete(std::forward<Values>(values)...);
    }

private:
    task_wait* wait_;
};

}  // namespace leat::detail

// An operation of any shard may call the handler where it is: the wait finds its way home, and the
// detour through its shard's executor is spared.
template <class Handler, class Allocator, bool Tracked>
    requires std::is_base_of_v<leat::detail::task_handler, Handler>
struct boost::asio::associated_executor<Handler, leat::basic_shard_executor<Allocator, Tracked>> {
    using asio_associated_executor_is_unspecialised = void;
    using type = leat::basic_shard_executor<Allocator, Tracked>;

    [[nodiscard]] static leat::shard_executor get(const Handler& handler) noexcept {
        return handler.get_executor();
    }
    [[nodiscard]] static type get(const Handler&, const type& candidate) noexcept {
        return candidate;
    }
};
