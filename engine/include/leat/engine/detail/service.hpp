// What lives and ends with an engine.
#pragma once

#include <cstddef>

namespace leat::detail {

/// Something whose life is the engine's, such as the cache; destroyed after the last shard has
/// ended.
class service {
public:
    virtual ~service() = default;
    /// Called once, after the shards have ended. Returns how many things of it, such as slices,
    /// users still hold.
    virtual std::size_t close() noexcept = 0;
    /// Whether it lives until the engine is destroyed, rather than until join() has closed it.
    [[nodiscard]] virtual bool outlives_join() const noexcept { return false; }
};

}  // namespace leat::detail
