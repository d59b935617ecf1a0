// A coroutine moves to another shard.
#pragma once

#include <leat/engine/detail/awaited_once.hpp>
#include <leat/engine/engine.hpp>
#include <leat/engine/resumption.hpp>

#include <coroutine>

namespace leat {

/// Moves the coroutine that awaits it to shard `target` of its engine.
///
///     co_await leat::resume_on(1);
///     use(leat::this_shard().index());  // 1
///
/// Completion: at once, without suspending, if it runs there already; otherwise by one message, and
/// from then on the coroutine runs there. A task that has moved itself brings its awaiter back to
/// where that was.
///
/// Threads: awaited on a shard. What was written before is seen there. What belongs to a shard,
/// such as a scope, a stream or a timer, does not move with the coroutine.
///
/// Memory: allocates nothing; the message lies in the coroutine's frame.
///
/// Cancellation: none; a stop request does not hold it back. Every shard of a stopping engine runs
/// until no task is left.
///
/// Errors: throws errc::invalid_option if there is no such shard.
class [[nodiscard]] resume_on : public detail::awaited_once<resume_on> {
public:
    [[nodiscard]] explicit resume_on(unsigned target) noexcept : target_(target) {}
    [[nodiscard]] bool await_ready() const noexcept { return this_shard().index() == target_; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        node_.coroutine = coroutine;
        shard& here = this_shard();
        here.send(here.engine().at(target_).index(), node_);
    }
    void await_resume() const noexcept {}

private:
    resumption node_;
    unsigned target_;
};

}  // namespace leat
