// Chooses a segment, and copies what is in it to others.
#include "segment_emptying.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <utility>

namespace leat::detail {

namespace {

// Of the emptiest segments so many are looked at: each look takes time for each of its buffers.
constexpr std::size_t most_looks = 32;
// Searches that trust a look. Each may evict something, the coldest there is, for a segment that
// cannot be emptied any more.
constexpr unsigned most_trusted = 32;

struct candidate {
    std::size_t segment = io::buffer_arena::no_segment;
    std::uint32_t used = 0;
    std::uint32_t vacant = 0;
};

}  // namespace

segment_emptying::load segment_emptying::look(std::size_t segment) noexcept {
    load found;
    found.in_use = arena_.any_user(segment, [&](void* user) {
        ++last_.looks;
        if (user == nullptr) return true;
        auto& one = *static_cast<chunk*>(user);
        // Whoever waits for a segment is to be told when its last pin goes.
        if (one.pins != 0) one.attention = true;
        found.leases += static_cast<unsigned>(one.holders.size());
        found.bytes += std::min<std::uint64_t>(one.bytes, arena_.segment_bytes());
        return one.pinned() || one.under_way() || one.doomed;
    });
    const io::segment_state state = arena_.state_of(segment);
    if (state.buffer_bytes != 0) found.divided = state.bytes;
    return found;
}

segment_emptying::load segment_emptying::trust_or_look(std::size_t segment) noexcept {
    if (segment == last_.segment && last_.trusted != 0) {
        --last_.trusted;
        return {};
    }
    last_.segment = io::buffer_arena::no_segment;
    return look(segment);
}

void segment_emptying::consider_leases(std::size_t segment,
                                       std::size_t count,
                                       unsigned leases) noexcept {
    if (leases >= leases_) return;
    leased_ = segment;
    leased_count_ = count;
    leases_ = leases;
}

bool segment_emptying::may_empty(std::uint64_t bytes) noexcept {
    if (bytes_ != 0) return bytes == bytes_ && segment_ != io::buffer_arena::no_segment;
    if (in_vain(bytes)) return false;
    std::uint64_t vacant = 0;
    std::array<candidate, most_looks> emptiest;  // the emptiest first
    std::size_t found = 0;
    for (std::size_t segment = 0; segment < arena_.segments(); ++segment) {
        const io::segment_state state = arena_.state_of(segment);
        if (state.buffer_bytes != bytes) continue;
        vacant += state.count - state.used;
        if (state.bytes < wanted_) continue;
        candidate next{segment, state.used, state.count - state.used};
        for (std::size_t i = 0; i < found; ++i) {
            if (next.used < emptiest[i].used) std::swap(next, emptiest[i]);
        }
        if (found < most_looks) emptiest[found++] = next;
    }
    const auto begin_with = [&](const candidate& one) {
        const std::uint64_t beside = vacant - one.vacant;
        const std::uint64_t missing = one.used - std::min<std::uint64_t>(one.used, beside);
        if (missing * bytes > most_evicted_) return false;
        const load held = trust_or_look(one.segment);
        if (held.in_use) return false;
        if (held.leases != 0) {
            consider_leases(one.segment, 1, held.leases);
            return false;
        }
        if (last_.segment != one.segment) {
            last_.segment = one.segment;
            last_.trusted = most_trusted;
        }
        segment_ = one.segment;
        bytes_ = bytes;
        missing_ = missing;
        return true;
    };
    for (std::size_t i = 0; i < found; ++i) {
        if (begin_with(emptiest[i])) return true;
    }
    // As others are emptied, those that pins keep become the emptiest: then any other serves.
    for (std::size_t segment = 0; found == most_looks && segment < arena_.segments(); ++segment) {
        const io::segment_state state = arena_.state_of(segment);
        if (state.buffer_bytes != bytes || state.used < emptiest.back().used) continue;
        if (state.bytes < wanted_) continue;
        if (begin_with({segment, state.used, state.count - state.used})) return true;
    }
    if (hopeless_count_ < std::ssize(hopeless_))
        hopeless_[static_cast<std::size_t>(hopeless_count_++)] = bytes;
    return false;
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
    const bool others_may_go = most_evicted_ == std::numeric_limits<std::uint64_t>::max();
    if (best != io::buffer_arena::no_segment || leased_count_ != 0 || !others_may_go) return best;
    if (leave_room(unleased) && best_with_others != io::buffer_arena::no_segment)
        return best_with_others;
    if (leave_room(all) && all.leases != 0) consider_leases(0, arena_.segments(), all.leases);
    return best;
}

std::size_t segment_emptying::find_beside(std::size_t first, std::size_t count) noexcept {
    std::size_t best = io::buffer_arena::no_segment;
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t i = 0; i < arena_.segments(); ++i) {
        if (i - first < count || arena_.state_of(i).buffer_bytes == 0) continue;
        const load one = look(i);
        if (one.keeps() || one.bytes >= least) continue;
        best = i;
        least = one.bytes;
    }
    return best;
}

std::uint64_t segment_emptying::places_beside(std::size_t segment) const noexcept {
    std::uint64_t sum = 0;
    for (std::size_t other = 0; other < arena_.segments(); ++other) {
        const io::segment_state state = arena_.state_of(other);
        if (other != segment && state.buffer_bytes == bytes_) sum += state.count - state.used;
    }
    return sum;
}

bool segment_emptying::finish() noexcept {
    if (segment_ == io::buffer_arena::no_segment) return false;
    const io::segment_state state = arena_.state_of(segment_);
    if (state.buffer_bytes != bytes_) return state.buffer_bytes == 0;
    if (missing_ != 0) return false;
    // Places have gone with segments of the class that have become empty by themselves.
    const std::uint64_t beside = places_beside(segment_);
    missing_ = state.used - std::min<std::uint64_t>(state.used, beside);
    if (missing_ != 0) return false;
    last_.segment = io::buffer_arena::no_segment;
    if (!movable(segment_)) {
        // Nothing more goes for it.
        bytes_ = 0;
        segment_ = io::buffer_arena::no_segment;
        return false;
    }
    arena_.each_user(segment_, [this](void* user) {
        const bool moved = move(*static_cast<chunk*>(user), segment_, 1);
        assert(moved);
        static_cast<void>(moved);
    });
    segment_ = io::buffer_arena::no_segment;
    return true;
}

bool segment_emptying::move(chunk& moved, std::size_t first, std::size_t count) noexcept {
    const std::size_t from = arena_.segment_of(moved.data());
    std::byte* const place = arena_.allocate_outside(from, moved.bytes, &moved);
    if (place == nullptr) return false;
    const std::size_t to = arena_.segment_of(place);
    if (to >= first && to < first + count) {
        arena_.release(place, moved.bytes);
        return false;
    }
    std::memcpy(place, moved.data(), moved.length);
    arena_.release(moved.data(), moved.bytes);
    moved.set_place(place, moved.start);
    return true;
}

}  // namespace leat::detail
