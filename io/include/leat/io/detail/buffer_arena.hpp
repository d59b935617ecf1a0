// The memory of one shard's buffers: huge pages where they can be had, registered in the shard's
// ring.
#pragma once

#include <leat/io/backend.hpp>
#include <leat/io/detail/buffer_part.hpp>

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace leat::io {

/// How a buffer_arena is made.
struct arena_options {
    std::uint64_t budget = 0;      ///< bytes that it may map, at most 128 TiB
    bool huge_pages = true;        ///< ask for huge pages
    bool register_buffers = true;  ///< register segments with the backend
    /// Bytes of a segment, rounded up to 2 MiB; 0: 2 MiB. Buffers of just so many bytes, the most
    /// frequent ones, are a size class. Segments are longer where they would lose more than a
    /// sixteenth of such buffers that the budget has room for, or be more than 8192.
    std::uint64_t segment_bytes = 0;
    /// Bytes of a slab, rounded up to a size class, at most 2 MiB; 0, or more than half a segment:
    /// there are none.
    std::uint64_t slab_bytes = 0;
    /// Bytes of a small slab, rounded down to a power of two; 0, or where slabs are no multiple of
    /// it: there are none.
    std::uint64_t small_slab_bytes = 0;
    std::uint64_t most_budget = 0;  ///< what set_budget() may allow, if that is more than `budget`
};

/// What a buffer_arena holds now; the failures never decrease.
struct arena_statistics {
    std::uint64_t segments = 0;              ///< hugetlb + transparent + plain
    std::uint64_t hugetlb_segments = 0;      ///< of reserved huge pages
    std::uint64_t transparent_segments = 0;  ///< that asked the kernel for transparent huge pages
    std::uint64_t plain_segments = 0;        ///< of 4 KiB pages
    std::uint64_t mapped_bytes = 0;          ///< of all segments
    std::uint64_t divided_bytes = 0;         ///< of those in which a buffer is used
    std::uint64_t used_bytes = 0;            ///< of allocated buffers, buffer_bytes() each
    std::uint64_t registered_bytes = 0;
    std::uint64_t registration_failures = 0;
    std::uint64_t hugetlb_refusals = 0;  ///< reserved huge pages that could not be used after all
};

/// What one segment or slab holds.
struct part_state {
    std::size_t buffer_bytes = 0;  ///< of each of its buffers; 0: it is free
    std::uint32_t used = 0;        ///< buffers, or slabs
    std::uint32_t count = 0;       ///< buffers, or slabs, used or not
    std::size_t bytes = 0;         ///< of the segment or slab; 0: it is not mapped
    std::size_t used_bytes = 0;    ///< of buffers, those in slabs, too

    [[nodiscard]] std::uint32_t vacant() const noexcept { return count - used; }
};

/// Gives out buffers of any size from segments of one length.
///
/// Address space for the most that it may map is reserved at once. A segment is mapped when it is
/// first needed, which touches none of it, but for reserved huge pages, of which a control group
/// may forbid some, so that a read into them would fail. It serves at once. prepare() touches it
/// bit by bit, as clearing all of it takes milliseconds, and then registers it. Then it stays. It
/// is divided into buffers of one size class; one that has become empty belongs to none, and
/// dividing it for another reaches no kernel. Small buffers share segments: each of their classes
/// divides slabs, which are buffers of a segment themselves. So a class in use keeps a slab from
/// others, no segment. The smallest divide small slabs, which are buffers of slabs: to empty one
/// few have to move. A buffer that is longer than a segment has neighbours for itself. Where
/// the budget is no multiple of a segment, one is shorter, or several, of at least half the length,
/// where it was lowered bit by bit: then a free one is cut. Of several that are free one is made
/// that is long enough.
///
/// Size classes are 4, 8, 16, 32 and 64 KiB, then four in each doubling, as long as two buffers fit
/// a segment; arena_options::segment_bytes; half a segment, and a segment.
///
/// No member throws but the constructor's std::bad_alloc. Used by one thread at a time; only its
/// shard's thread may use it while a backend is attached.
///
/// Invariants, told by fault(): no segment is longer than its place; each lies in the list that
/// what is free of it says, and in no other; a place is free or used, and free ones have no user; a
/// slab is divided where its segment says so, and nowhere else; the segments of a long buffer are
/// neighbours and know it; while more is mapped than the budget allows none is free; a segment is
/// registered only if all of it has been touched; what the statistics count is what there is.
class buffer_arena {
public:
    static constexpr std::size_t no_segment = ~std::size_t{0};
    /// Parts are segments, by their number, slabs, from here on, and small slabs, from twice that.
    static constexpr std::size_t first_slab = std::size_t{1} << 32;
    /// What prepare() touches at most: a huge page, which the kernel clears in 0.1 to 0.3 ms.
    static constexpr std::size_t most_touched_at_once = 2 << 20;

    explicit buffer_arena(const arena_options& options);
    buffer_arena(const buffer_arena&) = delete;
    buffer_arena& operator=(const buffer_arena&) = delete;
    /// Unmaps everything, on any thread. Precondition: detached, nothing in flight into its memory.
    ~buffer_arena();

    /// prepare() registers present and future segments with `through` until detach().
    void attach(backend& through) noexcept;
    /// Touches a little of a segment that is to be registered, and registers it when all of it has
    /// been touched; where there is little room left and none is free, maps the next one. To be
    /// called while unprepared(), now and then, on the thread that runs the backend. Without a
    /// backend, or where nothing can be registered, there is nothing to do.
    void prepare() noexcept;
    /// Maps and touches all that the budget allows, and registers it. On the thread that runs the
    /// backend, or before there is one.
    void prepare_all() noexcept;
    [[nodiscard]] bool unprepared() const noexcept {
        return registers() && (untouched_ != 0 || wants_spare());
    }
    /// Ends all registration, on the thread that runs the backend, with nothing in flight: what was
    /// locked may be locked by others at once, which after detach() alone takes its time. The
    /// memory stays as it is.
    void unregister() noexcept;
    /// Forgets the backend, which is about to be destroyed. The memory stays as it is; it counts as
    /// unregistered.
    void detach() noexcept;

    /// A buffer of `size` bytes (> 0), aligned to 2 MiB if its buffer_bytes() are a multiple of
    /// that, else to 4 KiB. Contents unspecified. nullptr when the budget has no room or the system
    /// no memory. In the fullest segments that have room, so that others empty. `user` is kept for
    /// each_user().
    [[nodiscard]] std::byte* allocate(std::size_t size, void* user = nullptr) noexcept;

    /// As allocate(), but only from what is free in segments that are divided already, and in none
    /// of `count` parts from `first` on.
    [[nodiscard]] std::byte* allocate_outside(std::size_t first,
                                              std::size_t count,
                                              std::size_t size,
                                              void* user) noexcept;

    /// Names another user of a buffer that was allocated.
    void set_user(std::byte* memory, void* user) noexcept;

    /// Takes back a buffer that was got for `size` bytes. Never fails or allocates.
    void release(std::byte* memory, std::size_t size) noexcept;

    /// Whether allocate() would find room; the system may have no memory all the same.
    [[nodiscard]] bool fits(std::size_t size) const noexcept;
    /// What a buffer for `size` bytes occupies: that of its class, or whole segments.
    [[nodiscard]] std::size_t buffer_bytes(std::size_t size) const noexcept;

    /// How many buffers for `size` bytes (> 0) a budget of `bytes` has room for, if it holds
    /// nothing else. Any thread.
    [[nodiscard]] std::uint64_t buffers_in(std::uint64_t bytes, std::size_t size) const noexcept;

    /// The length of all segments but the shorter ones. Any thread.
    [[nodiscard]] std::size_t segment_bytes() const noexcept { return segment_bytes_; }

    /// The number that is registered for the segment of `memory`, or -1. There is none for buffers
    /// that lie in several segments, nor for segments of more than 1 GiB, the kernel's limit.
    /// Valid until the buffer is released or the arena detached.
    [[nodiscard]] int buffer_index(const std::byte* memory) const noexcept;
    /// The same for the segment in which all these buffers lie, or -1.
    [[nodiscard]] int buffer_index(std::span<const std::span<std::byte>> buffers) const noexcept;

    /// Segments are numbered from 0 to below this; among them may be some that were given back, and
    /// count as free.
    [[nodiscard]] std::size_t segments() const noexcept { return segments_.size(); }
    /// Of the address space in which all segments lie, the first at its beginning.
    [[nodiscard]] std::uint64_t reserved_bytes() const noexcept { return options_.most_budget; }
    /// 0: there are no slabs.
    [[nodiscard]] std::size_t slab_bytes() const noexcept { return slabs_.front().bytes; }
    /// 0: there are no small ones.
    [[nodiscard]] std::size_t small_slab_bytes() const noexcept { return slabs_.back().bytes; }
    /// The length of the slabs that buffers divide which take `buffer_bytes`; 0: they lie in
    /// segments. In small ones lie those of up to a quarter, in others those that lose no more than
    /// an eighth of them, and the small ones themselves.
    [[nodiscard]] std::size_t slab_for(std::size_t buffer_bytes) const noexcept {
        if (buffer_bytes <= small_slab_bytes() / 4) return small_slab_bytes();
        const std::size_t slab = slab_bytes();
        return buffer_bytes < slab && slab % buffer_bytes <= slab / 8 ? slab : 0;
    }
    [[nodiscard]] bool is_slab_length(std::size_t bytes) const noexcept {
        return bytes != 0 && (bytes == slab_bytes() || bytes == small_slab_bytes());
    }
    /// Whether a place of `place_bytes` that is free is room for a buffer that takes
    /// `buffer_bytes`: it has that length, or that of a slab in which such a buffer lies.
    [[nodiscard]] bool is_room_for(std::size_t place_bytes,
                                   std::size_t buffer_bytes) const noexcept {
        for (; buffer_bytes != 0; buffer_bytes = slab_for(buffer_bytes))
            if (buffer_bytes == place_bytes) return true;
        return false;
    }
    /// Of each segment in which a long buffer lies: one buffer, used, of the length of all. Of a
    /// part with slabs: buffers of their length.
    [[nodiscard]] part_state state_of(std::size_t part) const noexcept;
    /// The number of the segment in which `memory` lies, or no_segment.
    [[nodiscard]] std::size_t segment_of(const std::byte* memory) const noexcept;
    /// The same for the innermost slab, if it lies in one.
    [[nodiscard]] std::size_t part_of(const std::byte* memory) const noexcept;
    /// Whether a buffer for `wanted` bytes, 0 for a segment, has room as soon as this one is
    /// released, since nothing else is used in its part.
    [[nodiscard]] bool makes_room(const std::byte* memory, std::size_t wanted) const noexcept;
    /// How many buffers that take `buffer_bytes` are free in parts that are divided for such.
    [[nodiscard]] std::size_t vacant(std::size_t buffer_bytes) const noexcept;

    /// Calls visit(part, state) for those that are divided for buffers that take `buffer_bytes`, up
    /// to a segment, from the emptiest on, of equally full ones that first which changed least
    /// recently, until it returns true. Whether it did. It changes nothing.
    template <class Visit>
    bool find_part(std::size_t buffer_bytes, Visit visit) const {
        const std::size_t number = class_of(buffer_bytes);
        if (number == classes_.size() || classes_[number].buffer_bytes != buffer_bytes)
            return false;
        for (const auto& level : classes_[number].lists) {
            for (auto one = level.rbegin(); one != level.rend(); ++one) {
                const std::size_t part = part_number(*one);
                if (visit(part, state_of(part))) return true;
            }
        }
        return false;
    }
    /// Calls visit(slab, state) for the slabs of a part that are divided, not for those in them.
    template <class Visit>
    void each_slab(std::size_t part, Visit visit) const {
        const buffer_part* const in = find(part);
        if (in == nullptr || !is_slab_length(in->buffer_bytes)) return;
        for (std::size_t i = 0; i < in->users.size(); ++i) {
            if (in->users[i] != slab_here()) continue;
            const std::size_t slab = slab_at(in->buffer_bytes, in->base + i * in->buffer_bytes);
            visit(slab, state_of(slab));
        }
    }
    /// Calls visit(user) for each used buffer in a segment or slab. It may release buffers, and
    /// call allocate_outside() of this part.
    template <class Visit>
    void each_user(std::size_t part, Visit visit) const {
        static_cast<void>(any_user(part, [&](void* user) {
            visit(user);
            return false;
        }));
    }
    /// Whether one of these users is such; the others are not asked then.
    template <class Such>
    [[nodiscard]] bool any_user(std::size_t part, Such such) const {
        return any_user_in(part, such);
    }

    /// Changes how much may be mapped, at most arena_options::most_budget. Where more is mapped,
    /// free segments are given back at once, the others as they become free. On the thread that
    /// runs the backend.
    void set_budget(std::uint64_t bytes) noexcept;
    [[nodiscard]] std::uint64_t budget() const noexcept { return options_.budget; }
    /// Where more is mapped than the budget allows, closes segments until the others keep to it:
    /// what is free in them is not allocated, so that each is given back when what is used in it
    /// has been released. As soon as the budget has room for one of them besides those that are
    /// open it is open, too.
    void close_excess() noexcept;
    [[nodiscard]] bool is_closed(const std::byte* memory) const noexcept {
        return closed_bytes_ != 0 && segments_[segment_of(memory)].closed;
    }
    /// Calls visit(segment) for those that are closed. It may release buffers.
    template <class Visit>
    void each_closed(Visit visit) const {
        for (std::size_t i = segments_.size(); closed_bytes_ != 0 && i-- > 0;)
            if (i < segments_.size() && segments_[i].closed) visit(i);
    }
    /// What may be mapped at once: the budget, unless nothing more can be mapped.
    [[nodiscard]] std::uint64_t most_mapped() const noexcept {
        return sealed_ ? std::min(options_.budget, statistics_.mapped_bytes) : options_.budget;
    }
    [[nodiscard]] arena_statistics statistics() const noexcept { return statistics_; }
    /// nullptr, or which invariant is broken. Takes time for each buffer.
    [[nodiscard]] const char* fault() const noexcept;

private:
    friend struct tampering;  // tests break what fault() tells
    enum class kind : std::uint8_t { hugetlb, transparent, plain };

    struct segment : buffer_part {
        segment(std::size_t which, std::byte* at) noexcept
            : buffer_part(0, which, at), first(which) {}
        [[nodiscard]] bool is_free() const noexcept { return bytes > 0 && buffer_bytes == 0; }

        std::size_t bytes = 0;    ///< 0: not mapped
        std::size_t first;        ///< of a long buffer's segments, else this one
        std::size_t run = 1;      ///< the first's: how many segments its buffer has
        std::size_t touched = 0;  ///< bytes from its beginning on
        bool registered = false;
        kind pages = kind::plain;
    };
    using segment_list = boost::intrusive::list<segment>;

    /// All that may be slabs of one length.
    struct slab_level {
        std::size_t bytes = 0;  ///< 0: there are none
        std::size_t in_segment = 0;
        std::deque<buffer_part> parts;  ///< by address, of all segments
    };

    /// Neighbours that a long buffer can have.
    struct neighbours {
        std::size_t first = no_segment;
        std::uint64_t missing = 0;   ///< bytes that are to be mapped
        std::size_t last_bytes = 0;  ///< of the last of them
    };

    /// The user of a place in which a slab lies that is divided.
    [[nodiscard]] static void* slab_here() noexcept { return &slab_here_; }
    template <class Such>
    [[nodiscard]] bool any_user_in(std::size_t part, Such& such) const {
        const buffer_part* in = find(part);
        if (in == nullptr) return false;
        const std::size_t bytes = in->buffer_bytes;
        std::byte* const base = in->base;
        // It may be gone as soon as its last buffer is released.
        for (std::size_t i = 0; (in = find(part)) != nullptr && i < in->users.size(); ++i) {
            void* const user = in->users[i];
            if (user == slab_here()) {
                if (any_user_in(slab_at(bytes, base + i * bytes), such)) return true;
            } else if (user != buffer_part::nobody() && such(user)) {
                return true;
            }
        }
        return false;
    }

    [[nodiscard]] std::size_t class_of(std::size_t size) const noexcept;
    [[nodiscard]] static std::size_t part_number(const buffer_part& part) noexcept {
        return part.level * first_slab + part.number;
    }
    [[nodiscard]] const buffer_part* find(std::size_t part) const noexcept;
    [[nodiscard]] std::size_t slab_at(std::size_t slab_bytes, const std::byte* at) const noexcept;
    [[nodiscard]] const buffer_part& innermost(const std::byte* memory) const noexcept;
    [[nodiscard]] const buffer_part& around(const buffer_part& slab) const noexcept;
    [[nodiscard]] static buffer_part& changeable(const buffer_part& part) noexcept {
        return const_cast<buffer_part&>(part);
    }
    [[nodiscard]] bool lies_within(const buffer_part& part,
                                   std::size_t first,
                                   std::size_t count) const noexcept;
    void count_used(buffer_part& in, std::int64_t bytes) noexcept;
    [[nodiscard]] std::size_t whole(std::size_t number) const noexcept;
    [[nodiscard]] std::size_t bytes_of(std::size_t number) const noexcept {
        return number < segments_.size() ? segments_[number].bytes : 0;
    }
    [[nodiscard]] std::uint64_t room() const noexcept;
    [[nodiscard]] bool registers() const noexcept {
        return backend_ != nullptr && options_.register_buffers && registration_works_;
    }
    [[nodiscard]] bool wants_spare() const noexcept;
    [[nodiscard]] static bool is_untouched(const segment& s) noexcept;
    void count_untouched(const segment& s) noexcept;
    [[nodiscard]] std::size_t length_of_next(std::size_t number) const noexcept;
    [[nodiscard]] std::size_t find_free(std::size_t bytes) const noexcept;
    [[nodiscard]] std::size_t find_unmapped(std::size_t bytes) const noexcept;
    [[nodiscard]] neighbours find_neighbours(std::size_t size) const noexcept;
    [[nodiscard]] std::byte* give_place(buffer_part& from, void* user) noexcept;
    [[nodiscard]] buffer_part* find_outside(size_class& of,
                                            std::size_t first,
                                            std::size_t count) noexcept;
    [[nodiscard]] buffer_part* claim_outside(size_class& of, std::size_t first, std::size_t count);
    [[nodiscard]] bool short_ones_make(std::size_t bytes) const noexcept;
    void drop_short_ones(std::size_t bytes) noexcept;
    [[nodiscard]] buffer_part* claim(size_class& of);
    [[nodiscard]] segment* claim_segment(size_class& of);
    buffer_part& divide_slab(size_class& of, buffer_part& in);
    [[nodiscard]] segment* claim_neighbours(std::size_t size);
    void leave(buffer_part& part, std::size_t place) noexcept;
    void vacate(buffer_part& part) noexcept;
    void liberate(segment& s) noexcept;
    void add_free(segment& s) noexcept;
    void drop_excess(segment& s) noexcept;
    static void set_closed(buffer_part& part, bool closed) noexcept;
    void set_closed(segment& s, bool closed) noexcept;
    void reopen() noexcept;
    [[nodiscard]] bool can_be(const segment& s, std::size_t bytes) const noexcept;
    void cut(segment& s, std::size_t bytes) noexcept;
    void note_segments(std::size_t count);
    segment* map_segment(std::size_t number, std::size_t bytes);
    [[nodiscard]] bool map(segment& s, std::size_t bytes) noexcept;
    void drop(segment& s) noexcept;
    void forget(segment& s) noexcept;
    void trim() noexcept;
    void enroll(segment& s) noexcept;
    void withdraw(segment& s) noexcept;
    [[nodiscard]] bool holds() const noexcept;
    [[nodiscard]] std::uint64_t& segments_of(kind pages) noexcept;
    [[nodiscard]] const char* fault_of_places(const buffer_part& part) const noexcept;
    [[nodiscard]] const char* fault_of_slabs(const segment& s) const noexcept;
    [[nodiscard]] bool counts_used(const buffer_part& part) const noexcept;
    [[nodiscard]] const char* fault_of_class(const size_class& of) const noexcept;
    [[nodiscard]] const char* fault_of_run(const segment& s) const noexcept;
    [[nodiscard]] const char* fault_of_segments() const noexcept;
    [[nodiscard]] const char* fault_of_lists() const noexcept;
    [[nodiscard]] const char* fault_of_counts() const noexcept;

    inline static char slab_here_ = 0;

    arena_options options_;
    std::size_t segment_bytes_ = 0;
    std::size_t regular_ = 0;  ///< size classes that all arenas have
    std::byte* base_ = nullptr;
    backend* backend_ = nullptr;
    std::deque<segment> segments_;       ///< by address; the last is mapped
    std::array<slab_level, 2> slabs_{};  ///< of levels 1 and 2
    /// The regular ones, a segment, half of one, and what the options ask for.
    std::vector<size_class> classes_;
    segment_list free_;               ///< mapped, in no class; shorter ones last
    segment_list unmapped_;           ///< given back, or never got
    std::uint64_t closed_bytes_ = 0;  ///< of segments that are closed
    std::size_t shortened_ = 0;       ///< segments that the budget has made shorter
    std::size_t untouched_ = 0;       ///< segments of which some is to be touched
    std::size_t next_untouched_ = 0;  ///< none before it
    bool no_spare_ = false;           ///< the system had no memory for one
    bool hugetlb_works_ = true;
    bool registration_works_ = true;
    bool sealed_ = false;  ///< a place may be another's by now: nothing more is mapped
    arena_statistics statistics_;
};

}  // namespace leat::io
