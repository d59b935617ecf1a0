// Resumes a coroutine of a shard from wherever its end of waiting is known.
#pragma once

#include <leat/engine/detail/work.hpp>
#include <leat/engine/shard.hpp>

#include <coroutine>

namespace leat {

/// A message that resumes a coroutine: for awaiters of one's own, whose end somebody else brings
/// about. It lies in the awaiter; `coroutine` is set before it is sent, once for each wait, by
/// shard::deliver() from any thread or shard, and what was written before that is seen by the
/// coroutine. The shard's turn that finds it resumes it.
///
///     struct thread_end {  // awaits the end of a function on a thread of its own
///         std::function<void()> function;
///         leat::resumption node{};
///
///         bool await_ready() const { return false; }
///         void await_suspend(std::coroutine_handle<> waiting) {
///             node.coroutine = waiting;
///             std::thread{[this, &home = leat::this_shard()] {
///                 function();
///                 home.deliver(node);
///             }}.detach();
///         }
///         void await_resume() const {}
///     };
struct resumption : detail::work {
    resumption() noexcept : work(&resume) {}
    std::coroutine_handle<> coroutine;

private:
    static void resume(detail::work& item) noexcept {
        this_shard().resume(static_cast<resumption&>(item).coroutine);
    }
};

}  // namespace leat
