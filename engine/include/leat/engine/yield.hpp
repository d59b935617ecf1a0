// A coroutine lets others go first.
#pragma once

#include <leat/engine/detail/awaited_once.hpp>
#include <leat/engine/resumption.hpp>
#include <leat/engine/shard.hpp>

#include <coroutine>

namespace leat {

/// Lets other ready work of this shard go first.
class [[nodiscard]] yield : public detail::awaited_once<yield> {
public:
    [[nodiscard]] yield() = default;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) noexcept {
        node_.coroutine = coroutine;
        this_shard().schedule(node_);
    }
    void await_resume() const noexcept {}

private:
    resumption node_;
};

}  // namespace leat
