// What leat's own parts may ask of a manager.
#pragma once

#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/detail/shared_cache.hpp>
#include <leat/engine/engine.hpp>

#include <memory>

namespace leat::detail {

struct manager_access {
    [[nodiscard]] static const manager_core& core(const chunk_manager& of) noexcept {
        return *of.core_;
    }
    [[nodiscard]] static const std::shared_ptr<shared_cache>& cache(
        const chunk_manager& of) noexcept {
        return of.cache_;
    }
    [[nodiscard]] static const std::shared_ptr<manager_core>& shared_core(
        const chunk_manager& of) noexcept {
        return of.core_;
    }
    [[nodiscard]] static leat::engine& engine(const chunk_manager& of) noexcept {
        return of.cache_->engine();
    }
    /// Another of the same source, chunks and files.
    [[nodiscard]] static std::unique_ptr<chunk_manager> share(const chunk_manager& of) {
        return std::unique_ptr<chunk_manager>{new chunk_manager{of.cache_, of.core_}};
    }
};

/// As shard_cache::at_once() says.
[[nodiscard]] inline std::uint64_t at_once(const chunk_manager& manager,
                                           file_id from,
                                           std::uint64_t offset) noexcept {
    const manager_core& core = manager_access::core(manager);
    return core.here().at_once(core, from.number, core.locate(offset));
}

}  // namespace leat::detail
