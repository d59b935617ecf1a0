// The coroutine at the bottom of a task tree.
#pragma once

#include <leat/engine/detail/detached_promise.hpp>
#include <leat/engine/detail/started_task.hpp>
#include <leat/engine/engine.hpp>
#include <leat/engine/task.hpp>

#include <coroutine>
#include <exception>
#include <memory>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace leat::detail {

/// The coroutine at the bottom of a task tree: starts on a shard by its own work item and frees
/// itself.
class root {
public:
    struct promise_type : detached_promise, work {
        promise_type() noexcept : work(&begin) {}
        root get_return_object() noexcept { return root{*this}; }
        static void begin(work& item) noexcept {
            auto& self = static_cast<promise_type&>(item);
            this_shard().resume(std::coroutine_handle<promise_type>::from_promise(self));
        }
    };
    /// `token` is the task's and must outlive it.
    [[nodiscard]] work& start(const std::stop_token& token) const noexcept {
        promise_.stop = &token;
        return promise_;
    }
    /// Frees one that is never to start, and its job.
    void discard() const noexcept {
        std::coroutine_handle<promise_type>::from_promise(promise_).destroy();
    }

private:
    explicit root(promise_type& promise) noexcept : promise_(promise) {}
    promise_type& promise_;
};

template <class T>
root run_root(leat::engine& engine, task<T> job, std::shared_ptr<started_state<T>> state) {
    state->begin();
    {
        task<T> running = std::move(job);
        try {
            if constexpr (std::is_void_v<T>) {
                co_await std::move(running);
                state->set_value();
            } else {
                state->set_value(co_await std::move(running));
            }
        } catch (...) {
            state->set_exception(std::current_exception());
        }
    }
    engine.expect_own_process();  // a task that forked ends in the child, too
    co_await state->ended();
    engine.root_ends();  // this shard does not end before its turn does
    state->complete();
}

}  // namespace leat::detail
