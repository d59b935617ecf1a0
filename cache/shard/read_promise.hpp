// What the coroutines that read from sources have in common.
#pragma once

#include <leat/engine/detail/detached_promise.hpp>
#include <leat/engine/resumption.hpp>

#include <coroutine>

namespace leat::detail {

/// Each is a root of its own, which the shard waits for when it stops.
struct read_promise : detached_promise {
    /// What begins it, which the shard holds for then.
    [[nodiscard]] work& beginning(std::coroutine_handle<> self) noexcept {
        begin.coroutine = self;
        return begin;
    }

    resumption begin;
};

}  // namespace leat::detail
