// Empties a segment of the arena, for buffers of another size.
#pragma once

#include "chunk.hpp"

#include <leat/io/detail/buffer_arena.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace leat::detail {

/// A search for room in one size class may find that the coldest chunks are of another. As they are
/// evicted, their class has more and more places free, though hardly ever all of one segment's.
/// When it has as many as the emptiest of its segments has buffers in use, those move there, by
/// copying, and the segment serves any size.
///
/// One search long: what is evicted and moved in between is told here.
class segment_emptying {
public:
    explicit segment_emptying(io::buffer_arena& arena) noexcept : arena_(arena) {}

    /// Whether it helps that buffers of `bytes` are evicted: whether there is a segment of them
    /// that can be emptied. The first class of which there is one is the one until the end.
    [[nodiscard]] bool may_empty(std::uint64_t bytes) noexcept;
    /// A buffer of `bytes` was given back.
    void freed(std::uint64_t bytes) noexcept {
        if (bytes == bytes_) ++free_;
    }
    /// Moves what is left in the segment, if there are places enough. Returns whether it is empty.
    [[nodiscard]] bool finish() noexcept;

private:
    [[nodiscard]] bool movable(std::size_t segment) const noexcept;
    /// Free places of the class in all other segments.
    [[nodiscard]] std::uint64_t places_beside(std::size_t segment) const noexcept;

    io::buffer_arena& arena_;
    std::uint64_t bytes_ = 0;                  ///< of the class; 0 until there is one
    std::array<std::uint64_t, 8> hopeless_{};  ///< classes that have no such segment
    std::size_t hopeless_count_ = 0;
    std::size_t segment_ = io::buffer_arena::no_segment;
    std::uint64_t free_ = 0;  ///< places of the class, in all segments
};

}  // namespace leat::detail
