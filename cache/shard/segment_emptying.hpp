// Empties a segment of the arena, for buffers of another size.
#pragma once

#include "chunk.hpp"

#include <leat/io/detail/buffer_arena.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace leat::detail {

/// What one search leaves to the next: a segment that could be emptied a moment ago is not looked
/// at anew, which takes time for each of its buffers, before it is to be emptied.
struct last_look {
    std::size_t segment = io::buffer_arena::no_segment;
    unsigned trusted = 0;     ///< so many searches more
    std::uint64_t looks = 0;  ///< at chunks, all in all
};

/// A search for room in one size class may find that the coldest chunks are of another. As they are
/// evicted, their class has more and more places free, though hardly ever all of one segment's.
/// When it has as many as the emptiest of its segments has buffers in use, those move there, by
/// copying, and the segment serves any size.
///
/// A segment in which anything is pinned, read or waited for cannot be emptied, nor one in which
/// something is leased before that is back.
///
/// One search long: what is evicted and moved in between is told here.
class segment_emptying {
public:
    /// No more than `most_evicted` bytes are to go for a segment, and one that the budget has cut
    /// short is of no use if it has no room for `wanted` bytes.
    explicit segment_emptying(
        io::buffer_arena& arena,
        last_look& last,
        std::uint64_t most_evicted = std::numeric_limits<std::uint64_t>::max(),
        std::uint64_t wanted = 0) noexcept
        : arena_(arena), last_(last), most_evicted_(most_evicted), wanted_(wanted) {}

    /// Whether it helps that buffers of `bytes` are evicted: whether there is a segment of them
    /// that can be emptied. The first class of which there is one is the one until the end.
    [[nodiscard]] bool may_empty(std::uint64_t bytes) noexcept;
    /// Whether that is known not to help, without a look.
    [[nodiscard]] bool in_vain(std::uint64_t bytes) const noexcept {
        if (bytes_ != 0) return bytes != bytes_;
        return std::find(hopeless_.begin(), hopeless_.begin() + hopeless_count_, bytes) !=
               hopeless_.begin() + hopeless_count_;
    }
    /// A buffer of `bytes` was given back.
    void freed(std::uint64_t bytes) noexcept {
        if (bytes == bytes_ && missing_ != 0) --missing_;
    }
    /// Whether more buffers of `bytes` have to be given back before it can be empty.
    [[nodiscard]] bool needs_more(std::uint64_t bytes) const noexcept {
        return bytes == bytes_ && missing_ != 0;
    }
    /// Moves what is left in the segment, if there are places enough. Returns whether it is empty.
    [[nodiscard]] bool finish() noexcept;

    /// For a buffer of `size` bytes, more than a segment as a rule: the first of the neighbours
    /// that can all be emptied, those with the fewest bytes in use, or no_segment. Where the budget
    /// has no room for a buffer in any, since it has cut segments short, find_beside() says which
    /// others can be emptied besides: enough, if nothing less serves.
    [[nodiscard]] std::size_t find_run(std::uint64_t size) noexcept;
    /// Of all segments but `count` from `first` on the one that can be emptied with the fewest
    /// bytes in use, or no_segment.
    [[nodiscard]] std::size_t find_beside(std::size_t first, std::size_t count) noexcept;
    /// Moves a chunk to a free place that is in none of `count` segments from `first` on; whether
    /// there was one.
    [[nodiscard]] bool move(chunk& moved, std::size_t first, std::size_t count) noexcept;

    /// Calls visit(chunk) for all in what could be emptied if no more than `most` leases, the
    /// fewest of what was looked at, came back. Whether there is such.
    template <class Visit>
    bool each_leased(unsigned most, Visit visit) const {
        if (leases_ > most) return false;
        for (std::size_t i = leased_; i < leased_ + leased_count_; ++i)
            arena_.each_user(i, [&](void* user) { visit(*static_cast<chunk*>(user)); });
        return true;
    }

private:
    /// What keeps a segment from being emptied, and what has to go.
    struct load {
        bool in_use = false;
        unsigned leases = 0;
        std::uint64_t bytes = 0;    ///< of chunks
        std::uint64_t divided = 0;  ///< of segments with chunks

        [[nodiscard]] bool keeps() const noexcept { return in_use || leases != 0; }

        void add(const load& other) noexcept {
            leases += other.leases;
            bytes += other.bytes;
            divided += other.divided;
        }
        void take_away(const load& other) noexcept {
            leases -= other.leases;
            bytes -= other.bytes;
            divided -= other.divided;
        }
    };
    [[nodiscard]] load look(std::size_t segment) noexcept;
    [[nodiscard]] bool movable(std::size_t segment) noexcept { return !look(segment).keeps(); }
    /// The same, perhaps as it was found a moment ago.
    [[nodiscard]] load trust_or_look(std::size_t segment) noexcept;
    void consider_leases(std::size_t segment, std::size_t count, unsigned leases) noexcept;
    /// Free places of the class in all other segments.
    [[nodiscard]] std::uint64_t places_beside(std::size_t segment) const noexcept;

    io::buffer_arena& arena_;
    last_look& last_;
    std::uint64_t most_evicted_;
    std::uint64_t wanted_;
    std::uint64_t bytes_ = 0;                  ///< of the class; 0 until there is one
    std::array<std::uint64_t, 8> hopeless_{};  ///< classes that have no such segment
    std::ptrdiff_t hopeless_count_ = 0;
    std::size_t segment_ = io::buffer_arena::no_segment;
    std::uint64_t missing_ = 0;  ///< places at least that have to become free
    std::size_t leased_ = 0;     ///< what has the fewest leases of what only leases keep
    std::size_t leased_count_ = 0;
    unsigned leases_ = std::numeric_limits<unsigned>::max();
};

}  // namespace leat::detail
