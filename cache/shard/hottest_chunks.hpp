// Which of a shard's chunks are used most.
#pragma once

#include "chunk.hpp"

#include <leat/cache/cached_chunk.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace leat::detail {

/// Finds the chunks of a manager that are used most, of one shard, by looks between which the shard
/// does other things.
class hottest_chunks {
public:
    /// At most `limit` of `of`.
    hottest_chunks(shard_cache& cache, const manager_core& of, std::size_t limit) noexcept
        : cache_(cache), of_(of), limit_(limit) {}

    /// Looks at some more; returns whether there are others. Throws std::bad_alloc.
    bool look();
    /// Those found, the most used first, but for those that have gone since they were looked at.
    /// Throws std::bad_alloc.
    [[nodiscard]] std::vector<cached_chunk> told();

private:
    struct candidate {
        std::uint8_t reuses = 0;
        std::int64_t used = 0;
        chunk* at = nullptr;  // its header, which may be another's by and by
        std::uint64_t file_number = 0;
        piece_number piece;
        [[nodiscard]] bool hotter_than(const candidate& other) const noexcept {
            return reuses != other.reuses ? reuses > other.reuses : used > other.used;
        }
    };

    void consider(chunk& one);
    [[nodiscard]] cached_chunk describe(const chunk& one) const;

    shard_cache& cache_;
    const manager_core& of_;
    const std::size_t limit_;
    std::size_t next_ = 0;
    std::vector<candidate> found_;  // a heap, the least used at its front
};

}  // namespace leat::detail
