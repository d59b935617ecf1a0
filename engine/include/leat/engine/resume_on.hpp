// A coroutine moves to another shard.
#pragma once

#include <leat/engine/detail/awaited_once.hpp>
#include <leat/engine/engine.hpp>
#include <leat/engine/resumption.hpp>

#include <coroutine>

namespace leat {

/// Resumes the coroutine on shard `target`; at once if it runs there already. What was written
/// before is seen there. Not affected by stop requests: every shard of a stopping engine runs until
/// no task is left. Throws errc::invalid_option if there is no such shard.
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
