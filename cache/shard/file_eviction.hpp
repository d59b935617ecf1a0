// Lets go of what a shard has of a file.
#pragma once

#include <leat/cache/detail/file_record.hpp>
#include <leat/cache/detail/shard_cache.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace leat::detail {

/// Walks through a shard's chunks by looks between which the shard does other things.
class file_eviction {
public:
    /// Of `of`, and of the manager's other versions of that name. All must outlive it.
    file_eviction(shard_cache& cache, const file_record& of, const std::string& name) noexcept
        : cache_(cache), of_(of), name_(name) {}

    /// Looks at some more; returns whether there are others.
    bool look() noexcept;
    /// Of buffers that nothing kept.
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

private:
    [[nodiscard]] bool concerns(const file_record& one) const noexcept {
        return &one == &of_ || (one.manager == of_.manager && one.name == name_);
    }

    shard_cache& cache_;
    const file_record& of_;
    const std::string& name_;
    std::size_t next_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace leat::detail
