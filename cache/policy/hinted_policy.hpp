// Chunks that hints send before or behind all others.
#pragma once

#include "eviction_policy.hpp"

#include <memory>

namespace leat::detail {

/// `ordered` for chunks without a hint; what is first to go goes before them, the oldest first, and
/// what is last to go behind them, the oldest first that was not used since it was looked at. What
/// was first to go and has been used is from then on a chunk like any other. Throws std::bad_alloc.
[[nodiscard]] std::unique_ptr<eviction_policy> make_hinted_policy(
    std::unique_ptr<eviction_policy> ordered);

}  // namespace leat::detail
