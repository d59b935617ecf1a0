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

bool can_move(const chunk& one) noexcept {
    return one.pins == 0 && one.reads == 0 && one.holders.empty() && one.waiters.empty() &&
           !one.doomed;
}

struct candidate {
    std::size_t segment = io::buffer_arena::no_segment;
    std::uint32_t used = 0;
};

}  // namespace

bool segment_emptying::movable(std::size_t segment) const noexcept {
    bool all = true;
    arena_.each_user(segment, [&](void* user) {
        all = all && user != nullptr && can_move(*static_cast<const chunk*>(user));
    });
    return all;
}

bool segment_emptying::may_empty(std::uint64_t bytes) noexcept {
    if (bytes_ != 0) return bytes == bytes_ && segment_ != io::buffer_arena::no_segment;
    const auto end = hopeless_.begin() + static_cast<std::ptrdiff_t>(hopeless_count_);
    if (std::find(hopeless_.begin(), end, bytes) != end) return false;
    free_ = 0;
    std::array<candidate, most_looks> emptiest;  // the emptiest first
    std::size_t found = 0;
    for (std::size_t segment = 0; segment < arena_.segments(); ++segment) {
        const io::segment_state state = arena_.state_of(segment);
        if (state.buffer_bytes != bytes) continue;
        free_ += state.count - state.used;
        candidate next{segment, state.used};
        for (std::size_t i = 0; i < found; ++i) {
            if (next.used < emptiest[i].used) std::swap(next, emptiest[i]);
        }
        if (found < most_looks) emptiest[found++] = next;
    }
    for (std::size_t i = 0; i < found; ++i) {
        if (!movable(emptiest[i].segment)) continue;
        segment_ = emptiest[i].segment;
        bytes_ = bytes;
        return true;
    }
    if (hopeless_count_ < hopeless_.size()) hopeless_[hopeless_count_++] = bytes;
    return false;
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
    if (state.used > free_ - (state.count - state.used)) return false;
    // Places have gone with segments of the class that have become empty by themselves.
    const std::uint64_t elsewhere = places_beside(segment_);
    free_ = elsewhere + (state.count - state.used);
    if (state.used > elsewhere || !movable(segment_)) return false;
    arena_.each_user(segment_, [this](void* user) {
        auto& moved = *static_cast<chunk*>(user);
        std::byte* const place = arena_.allocate_outside(segment_, moved.bytes, user);
        assert(place != nullptr);
        std::memcpy(place, moved.data(), moved.length);
        arena_.release(moved.data(), moved.bytes);
        moved.set_place(place, moved.start);
    });
    segment_ = io::buffer_arena::no_segment;
    return true;
}

}  // namespace leat::detail
