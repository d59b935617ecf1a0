// What the coroutines that read from sources have in common.
#pragma once

#include <leat/engine/detail/detached_promise.hpp>
#include <leat/engine/resumption.hpp>
#include <leat/engine/shard.hpp>

#include <coroutine>

namespace leat::detail {

/// Each is a root of its own, which the shard waits for when it stops.
struct read_promise : detached_promise {
    /// From the ready queue, so that nothing of it runs inside the call that starts it.
    void start(std::coroutine_handle<> self, shard& here) noexcept {
        begin.coroutine = self;
        here.hold();
        here.schedule(begin);
    }

    resumption begin;
};

}  // namespace leat::detail
