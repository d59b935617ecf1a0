// Whose turn it is on this thread, for as long as a scope lasts.
#pragma once

#include <leat/engine/shard.hpp>

namespace leat::detail {

/// Makes a shard the current one until the scope ends, and then whoever was it before.
class current_scope {
public:
    explicit current_scope(shard* here) noexcept : before_(current_shard) { current_shard = here; }
    current_scope(const current_scope&) = delete;
    current_scope& operator=(const current_scope&) = delete;
    ~current_scope() { current_shard = before_; }

private:
    shard* before_;
};

}  // namespace leat::detail
