// Chooses a segment or a slab, and copies what is in it to others.
#include "segment_emptying.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <limits>
#include <utility>

namespace leat::detail {

namespace {

// Of the emptiest parts with slabs so many come first, and so many are compared.
constexpr std::size_t most_emptiest = 32;
constexpr std::size_t most_compared = 512;
// Searches that trust a look. Each may evict something, the coldest there is, for a segment that
// cannot be emptied any more.
constexpr unsigned most_trusted = 32;

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

}  // namespace

segment_emptying::load segment_emptying::look(std::size_t part) noexcept {
    load found;
    found.in_use = arena_.any_user(part, [&](void* user) {
        ++last_.looks;
        if (user == nullptr) return true;
        auto& one = *static_cast<chunk*>(user);
        // Whoever waits for a segment is to be told when its last pin goes.
        if (one.pins != 0) one.attention = true;
        found.leases += static_cast<unsigned>(one.holders.size());
        found.bytes += std::min<std::uint64_t>(one.bytes, arena_.segment_bytes());
        return one.pinned() || one.under_way() || one.doomed;
    });
    const io::part_state state = arena_.state_of(part);
    if (state.buffer_bytes != 0) found.divided = state.bytes;
    return found;
}

segment_emptying::load segment_emptying::trust_or_look(std::size_t part) noexcept {
    if (part == last_.part && last_.trusted != 0) {
        --last_.trusted;
        return {};
    }
    last_.part = io::buffer_arena::no_segment;
    return look(part);
}

void segment_emptying::consider_leases(std::size_t part,
                                       std::size_t count,
                                       unsigned leases) noexcept {
    if (leases >= leases_) return;
    leased_ = part;
    leased_count_ = count;
    leases_ = leases;
}

std::uint64_t segment_emptying::divided_for(std::uint64_t bytes) const noexcept {
    const std::uint64_t wanted = wanted_ == 0 ? 0 : arena_.buffer_bytes(wanted_);
    for (std::uint64_t slab = 0; (slab = arena_.slab_for(bytes)) != 0; bytes = slab)
        if (arena_.is_room_for(slab, wanted)) break;
    return bytes;
}

bool segment_emptying::is_hopeless(std::uint64_t bytes) const noexcept {
    return std::find(hopeless_.begin(), hopeless_.begin() + hopeless_count_, bytes) !=
           hopeless_.begin() + hopeless_count_;
}

bool segment_emptying::in_vain(std::uint64_t bytes) const noexcept {
    if (given_up_) return true;
    if (part_ != io::buffer_arena::no_segment) {
        const need* const of = needs_.of(bytes);
        return of == nullptr || (of->places == 0 && needs_.bytes() != 0);
    }
    return is_hopeless(bytes);
}

void segment_emptying::freed(std::uint64_t bytes) noexcept {
    need* const of = needs_.of(bytes);
    if (of != nullptr && of->places != 0) --of->places;
}

bool segment_emptying::needs_more(std::uint64_t bytes) const noexcept {
    const need* const of = needs_.of(bytes);
    return of != nullptr && of->places != 0;
}

bool segment_emptying::may_empty(std::uint64_t bytes) noexcept {
    if (in_vain(bytes)) return false;
    if (part_ != io::buffer_arena::no_segment) return true;
    const auto give_up = [this](std::uint64_t divided) {
        if (hopeless_count_ < std::ssize(hopeless_))
            hopeless_[static_cast<std::size_t>(hopeless_count_++)] = divided;
    };
    const std::uint64_t divided = divided_for(bytes);
    const bool of_slabs = arena_.is_slab_length(divided);
    if (of_slabs && !is_hopeless(divided)) {
        if (find_with_slabs(divided)) return !in_vain(bytes);
        give_up(divided);
    }
    const auto begin = [&](std::size_t part, const io::part_state& state) {
        return state.bytes >= wanted_ && begin_with(part, state);
    };
    const bool found =
        divided != bytes ? find_short(bytes, divided) : !of_slabs && arena_.find_part(bytes, begin);
    if (!found && !is_hopeless(bytes)) give_up(bytes);
    return found && !in_vain(bytes);
}

// A segment that is too short for slabs has such buffers as it is, or in small slabs.
bool segment_emptying::find_short(std::uint64_t bytes, std::uint64_t divided) noexcept {
    const auto begin = [&](std::size_t part, const io::part_state& state) {
        return part < io::buffer_arena::first_slab && state.bytes >= wanted_ &&
               begin_with(part, state);
    };
    for (; bytes != divided; bytes = arena_.slab_for(bytes))
        if (arena_.find_part(bytes, begin)) return true;
    return false;
}

bool segment_emptying::find_with_slabs(std::uint64_t slab_bytes) noexcept {
    struct candidate {
        std::size_t part = io::buffer_arena::no_segment;
        io::part_state state;
    };
    std::array<candidate, most_emptiest> emptiest;  // the emptiest first
    std::size_t found = 0;
    std::size_t compared = 0;
    static_cast<void>(
        arena_.find_part(slab_bytes, [&](std::size_t part, const io::part_state& state) {
            if (state.bytes < wanted_) return false;
            ++last_.looks;
            candidate next{part, state};
            for (std::size_t i = 0; i < found; ++i) {
                if (next.state.used_bytes < emptiest[i].state.used_bytes)
                    std::swap(next, emptiest[i]);
            }
            if (found < most_emptiest) emptiest[found++] = next;
            return ++compared == most_compared;
        }));
    for (std::size_t i = 0; i < found; ++i) {
        if (begin_with(emptiest[i].part, emptiest[i].state)) return true;
    }
    // As others are emptied, those that pins keep become the emptiest: then any other serves.
    return compared != found &&
           arena_.find_part(slab_bytes, [&](std::size_t part, const io::part_state& state) {
               return state.bytes >= wanted_ && begin_with(part, state);
           });
}

void segment_emptying::needs::add(std::uint64_t bytes,
                                  std::uint64_t used,
                                  std::uint64_t vacant) noexcept {
    need* to = of(bytes);
    if (to == nullptr) {
        assert(count < each.size());
        to = &each[count++];
        *to = {bytes, 0, 0};
    }
    // What is free in it is none for others.
    to->places += used + vacant;
    to->used += used;
}

void segment_emptying::add_needs(needs& all,
                                 std::size_t part,
                                 const io::part_state& state) const noexcept {
    std::uint64_t slabs = 0;
    arena_.each_slab(part, [&](std::size_t slab, const io::part_state& in) {
        add_needs(all, slab, in);
        ++slabs;
    });
    all.add(state.buffer_bytes, state.used - slabs, state.vacant());
}

namespace {
/// Slabs of both lengths that are free in other parts: those of segments, and small ones.
class free_slabs {
public:
    free_slabs(const io::buffer_arena& arena, std::uint64_t large, std::uint64_t small) noexcept
        : arena_(arena), large_(large), small_(small) {}
    /// Takes up to `count` of that length; how many there were. What is left of one that is divided
    /// into small ones stays.
    std::uint64_t take(std::uint64_t slab_bytes, std::uint64_t count) noexcept {
        const bool small = slab_bytes == arena_.small_slab_bytes();
        if (small && count > small_) {
            const std::uint64_t in_one = arena_.slab_bytes() / slab_bytes;
            small_ += take(arena_.slab_bytes(), (count - small_ + in_one - 1) / in_one) * in_one;
        }
        std::uint64_t& all = small ? small_ : large_;
        const std::uint64_t taken = std::min(count, all);
        all -= taken;
        return taken;
    }

private:
    const io::buffer_arena& arena_;
    std::uint64_t large_;
    std::uint64_t small_;
};
}  // namespace

segment_emptying::needs segment_emptying::needs_of(std::size_t part,
                                                   const io::part_state& state) const noexcept {
    needs all;
    add_needs(all, part, state);
    const auto free_elsewhere = [&](std::uint64_t slab_bytes) -> std::uint64_t {
        if (slab_bytes == 0) return 0;
        const std::uint64_t vacant = arena_.vacant(slab_bytes);
        const need* const here = all.of(slab_bytes);
        return vacant - std::min<std::uint64_t>(vacant, here == nullptr ? 0 : here->places);
    };
    free_slabs slabs{arena_, free_elsewhere(arena_.slab_bytes()),
                     free_elsewhere(arena_.small_slab_bytes())};
    needs missing;
    for (std::size_t i = 0; i < all.count; ++i) {
        need of = all.each[i];
        if (of.used == 0) continue;
        of.places -= std::min<std::uint64_t>(of.places, arena_.vacant(of.bytes));
        if (const std::uint64_t slab = arena_.slab_for(of.bytes)) {
            const std::uint64_t in_one = slab / of.bytes;
            const std::uint64_t taken = slabs.take(slab, (of.places + in_one - 1) / in_one);
            of.places -= std::min(of.places, taken * in_one);
        }
        missing.each[missing.count++] = of;
    }
    return missing;
}

bool segment_emptying::begin_with(std::size_t part, const io::part_state& state) noexcept {
    ++last_.looks;
    // What is in use keeps it whatever it needs, as a rule: that is seen sooner.
    if (most_evicted_ != no_limit && needs_of(part, state).bytes() > most_evicted_) return false;
    const load held = trust_or_look(part);
    if (held.in_use) return false;
    if (held.leases != 0) {
        consider_leases(part, 1, held.leases);
        return false;
    }
    if (last_.part != part) {
        last_.part = part;
        last_.trusted = most_trusted;
    }
    part_ = part;
    needs_ = needs_of(part, state);
    return true;
}

std::size_t segment_emptying::find_run(std::uint64_t size) noexcept {
    const std::uint64_t segment_bytes = arena_.segment_bytes();
    const std::size_t count = (size + segment_bytes - 1) / segment_bytes;
    // What has never been mapped lies behind the others.
    const std::size_t end = arena_.segments() + count;
    const std::uint64_t divided = arena_.statistics().divided_bytes;
    // What is divided nowhere may be free, or not be mapped yet.
    const auto leave_room = [&](const load& emptied) {
        return arena_.most_mapped() + emptied.divided >= divided + size;
    };
    std::size_t best = io::buffer_arena::no_segment;
    std::size_t best_with_others = io::buffer_arena::no_segment;
    std::uint64_t least = most_evicted_;
    std::uint64_t least_with_others = most_evicted_;
    std::size_t first = 0;
    load sum;
    load all;
    load unleased;
    for (std::size_t next = 0; next < end; ++next) {
        const load one = look(next);
        if (one.in_use) {
            first = next + 1;
            sum = {};
            continue;
        }
        all.add(one);
        if (!one.keeps()) unleased.add(one);
        sum.add(one);
        if (next - first == count) sum.take_away(look(first++));
        if (next - first + 1 < count) continue;
        if (first * segment_bytes + size > arena_.reserved_bytes()) break;
        if (!leave_room(sum)) {
            if (sum.leases == 0 && sum.bytes <= least_with_others) {
                best_with_others = first;
                least_with_others = sum.bytes;
            }
        } else if (sum.leases != 0) {
            consider_leases(first, count, sum.leases);
        } else if (sum.bytes <= least) {
            best = first;
            least = sum.bytes;
        }
    }
    const bool others_may_go = most_evicted_ == no_limit;
    if (best != io::buffer_arena::no_segment || leased_count_ != 0 || !others_may_go) return best;
    if (leave_room(unleased) && best_with_others != io::buffer_arena::no_segment)
        return best_with_others;
    lacks_budget_ = best_with_others != io::buffer_arena::no_segment && !leave_room(all);
    if (leave_room(all) && all.leases != 0) consider_leases(0, arena_.segments(), all.leases);
    return best;
}

std::size_t segment_emptying::find_beside(std::size_t first, std::size_t count) noexcept {
    std::size_t best = io::buffer_arena::no_segment;
    std::uint64_t least = no_limit;
    for (std::size_t i = 0; i < arena_.segments(); ++i) {
        if (i - first < count || arena_.state_of(i).buffer_bytes == 0) continue;
        const load one = look(i);
        if (one.keeps() || one.bytes >= least) continue;
        best = i;
        least = one.bytes;
    }
    return best;
}

bool segment_emptying::finish() noexcept {
    if (part_ == io::buffer_arena::no_segment || given_up_) return false;
    const io::part_state state = arena_.state_of(part_);
    if (state.used == 0) {
        given_up_ = true;  // there is nothing left to do
        return true;
    }
    if (needs_.bytes() != 0) return false;
    // Places have gone with parts that have become empty by themselves.
    needs_ = needs_of(part_, state);
    if (needs_.bytes() != 0) return false;
    last_.part = io::buffer_arena::no_segment;
    given_up_ = true;
    if (look(part_).keeps()) return false;
    // Unless the system has no memory for what is noted of places.
    bool moved = true;
    arena_.each_user(
        part_, [&](void* user) { moved = moved && move(*static_cast<chunk*>(user), part_, 1); });
    return moved;
}

bool segment_emptying::move(chunk& moved, std::size_t first, std::size_t count) noexcept {
    std::byte* const place = arena_.allocate_outside(first, count, moved.bytes, &moved);
    if (place == nullptr) return false;
    std::memcpy(place, moved.data(), moved.length);
    arena_.release(moved.data(), moved.bytes);
    moved.set_place(place, moved.start);
    return true;
}

}  // namespace leat::detail
