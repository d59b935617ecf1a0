// Empties a segment or a slab of the arena, for buffers of another size.
#pragma once

#include "chunk.hpp"

#include <leat/io/detail/buffer_arena.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace leat::detail {

/// What one search leaves to the next: what could be emptied a moment ago is not looked at anew,
/// which takes time for each of its buffers, before it is to be emptied.
struct last_look {
    std::size_t part = io::buffer_arena::no_segment;
    unsigned trusted = 0;     ///< so many searches more
    std::uint64_t looks = 0;  ///< at chunks, all in all
};

/// A search for room in one size class may find that the coldest chunks are of another. As they are
/// evicted, their class has more and more places free, though hardly ever all of one part's, a
/// segment or a slab. When it has as many as the emptiest of its parts has buffers in use, those
/// move there, by copying, and the part serves any size. Who wants more than such a part needs one
/// that it lies in, a slab or a segment, with all its slabs: then the same is true of each of their
/// classes, and of slabs.
///
/// A part in which anything is pinned, read or waited for cannot be emptied, nor one in which
/// something is leased before that is back.
///
/// One search long: what is evicted and moved in between is told here.
class segment_emptying {
public:
    /// No more than `most_evicted` bytes are to go. A segment that the budget has cut short is of
    /// no use if it has no room for `wanted` bytes; 0: any segment is.
    explicit segment_emptying(
        io::buffer_arena& arena,
        last_look& last,
        std::uint64_t most_evicted = std::numeric_limits<std::uint64_t>::max(),
        std::uint64_t wanted = 0) noexcept
        : arena_(arena), last_(last), most_evicted_(most_evicted), wanted_(wanted) {}

    /// Whether it helps that buffers of `bytes` are evicted: whether there is a part with some that
    /// can be emptied. The first that is found is the one until the end.
    [[nodiscard]] bool may_empty(std::uint64_t bytes) noexcept;
    /// Whether that is known not to help, without a look.
    [[nodiscard]] bool in_vain(std::uint64_t bytes) const noexcept;
    /// A buffer of `bytes` was given back.
    void freed(std::uint64_t bytes) noexcept;
    /// Whether more buffers of `bytes` have to be given back before the part can be empty.
    [[nodiscard]] bool needs_more(std::uint64_t bytes) const noexcept;
    /// Moves what is left in the part, if there are places enough. Returns whether it is empty.
    [[nodiscard]] bool finish() noexcept;

    /// For a buffer of `size` bytes, more than a segment as a rule: the first of the neighbours
    /// that can all be emptied, those with the fewest bytes in use, or no_segment. Where the budget
    /// has no room for a buffer in any, since it has cut segments short, find_beside() says which
    /// others can be emptied besides: enough, if nothing less serves.
    [[nodiscard]] std::size_t find_run(std::uint64_t size) noexcept;
    /// Whether find_run() has found none only because the budget has no room, not even if all else
    /// is emptied that can be.
    [[nodiscard]] bool lacks_budget() const noexcept { return lacks_budget_; }
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
    /// Those in slabs, and slabs.
    static constexpr std::size_t most_classes = 32;
    /// Places of one class that have to become free, at least.
    struct need {
        std::uint64_t bytes = 0;  ///< of each
        std::uint64_t places = 0;
        std::uint64_t used = 0;  ///< by buffers that have to go
    };
    /// What has to become free for one part.
    struct needs {
        std::array<need, most_classes> each{};
        std::size_t count = 0;

        /// nullptr: none of that size are in the way.
        [[nodiscard]] need* of(std::uint64_t bytes) noexcept {
            for (std::size_t i = 0; i < count; ++i)
                if (each[i].bytes == bytes) return &each[i];
            return nullptr;
        }
        [[nodiscard]] const need* of(std::uint64_t bytes) const noexcept {
            return const_cast<needs&>(*this).of(bytes);
        }
        /// A part has so many of that size in use, and places that are free.
        void add(std::uint64_t bytes, std::uint64_t used, std::uint64_t vacant) noexcept;
        [[nodiscard]] std::uint64_t bytes() const noexcept {
            std::uint64_t sum = 0;
            for (std::size_t i = 0; i < count; ++i) sum += each[i].bytes * each[i].places;
            return sum;
        }
    };
    /// What keeps a part from being emptied, and what has to go.
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
    [[nodiscard]] load look(std::size_t part) noexcept;
    /// The same, perhaps as it was found a moment ago.
    [[nodiscard]] load trust_or_look(std::size_t part) noexcept;
    void consider_leases(std::size_t part, std::size_t count, unsigned leases) noexcept;
    /// What the part is divided for that has to be emptied, so that buffers of `bytes` help: they
    /// themselves, or slabs in which they lie.
    [[nodiscard]] std::uint64_t divided_for(std::uint64_t bytes) const noexcept;
    [[nodiscard]] bool is_hopeless(std::uint64_t bytes) const noexcept;
    [[nodiscard]] bool find_with_slabs(std::uint64_t slab_bytes) noexcept;
    [[nodiscard]] bool find_short(std::uint64_t bytes, std::uint64_t divided) noexcept;
    void add_needs(needs& all, std::size_t part, const io::part_state& state) const noexcept;
    /// What has to become free so that what a part holds finds room in others.
    [[nodiscard]] needs needs_of(std::size_t part, const io::part_state& state) const noexcept;
    [[nodiscard]] bool begin_with(std::size_t part, const io::part_state& state) noexcept;

    io::buffer_arena& arena_;
    last_look& last_;
    std::uint64_t most_evicted_;
    std::uint64_t wanted_;
    std::array<std::uint64_t, most_classes> hopeless_{};  ///< classes that have no such part
    std::ptrdiff_t hopeless_count_ = 0;
    std::size_t part_ = io::buffer_arena::no_segment;  ///< what is to be emptied, if anything is
    bool given_up_ = false;                            ///< that is done, or cannot be
    needs needs_;
    bool lacks_budget_ = false;
    std::size_t leased_ = 0;  ///< what has the fewest leases of what only leases keep
    std::size_t leased_count_ = 0;
    unsigned leases_ = std::numeric_limits<unsigned>::max();
};

}  // namespace leat::detail
