// Finds what has room for a buffer, or makes it of what is free or not mapped yet.
#include <leat/io/detail/buffer_arena.hpp>

#include <algorithm>
#include <new>

namespace leat::io {

// The segments that are shorter lie at the end, and serve what they can before others do; of these
// the one that was used last comes first.
std::size_t buffer_arena::find_free(std::size_t bytes) const noexcept {
    if (free_.empty()) return no_segment;
    const segment& last = free_.back();
    if (last.bytes < segment_bytes_ && last.bytes >= bytes) return last.number;
    return free_.front().bytes >= bytes ? free_.front().number : no_segment;
}

// One that was given back, so that those which are mapped lie together.
std::size_t buffer_arena::find_unmapped(std::size_t bytes) const noexcept {
    if (!unmapped_.empty() && length_of_next(unmapped_.front().number) >= bytes)
        return unmapped_.front().number;
    return length_of_next(segments_.size()) >= bytes ? segments_.size() : no_segment;
}

// Those of which most is mapped, for which the budget has room if other free ones are given back.
// One that was cut short is mapped anew, but for the last, if that is long enough.
buffer_arena::neighbours buffer_arena::find_neighbours(std::size_t size) const noexcept {
    const std::size_t count = (size - 1) / segment_bytes_ + 1;
    const std::uint64_t before_last = (count - 1) * segment_bytes_;
    const std::size_t last = size - before_last;
    const std::uint64_t allowed = room() + statistics_.mapped_bytes - statistics_.divided_bytes;
    neighbours best;
    if (allowed < size) return best;
    const std::uint64_t most_of_last = allowed - before_last;
    const auto missing_of = [this](std::size_t i) -> std::uint64_t {
        return bytes_of(i) == whole(i) ? 0 : whole(i);
    };
    std::size_t run = 0;
    std::uint64_t missing = 0;  // of those before this one
    for (std::size_t i = 0; i < segments_.size() + count && whole(i) > 0; ++i) {
        if (i < segments_.size() && segments_[i].buffer_bytes > 0) {
            run = missing = 0;
            continue;
        }
        if (++run > count) {
            --run;
            missing -= missing_of(i - count);
        }
        if (run == count && whole(i) >= last) {
            const std::size_t bytes = bytes_of(i);
            const bool stays = bytes >= last && bytes <= most_of_last;
            const std::size_t wanted =
                stays ? bytes : std::min<std::uint64_t>(whole(i), most_of_last);
            const std::uint64_t sum = missing + (stays ? 0 : wanted);
            if ((sum == 0 || !sealed_) && (best.first == no_segment || sum < best.missing))
                best = {i + 1 - count, sum, wanted};
        }
        missing += missing_of(i);
        if (whole(i) < segment_bytes_) run = missing = 0;  // only the last may be shorter
    }
    return best;
}

std::byte* buffer_arena::give_place(buffer_part& from, void* user) noexcept {
    if (from.of != nullptr && from.used() != 0) from.of->remove(from);
    std::byte* const memory = from.take(user);
    if (from.of != nullptr) from.of->add(from);
    if (user != slab_here()) count_used(from, static_cast<std::int64_t>(from.buffer_bytes));
    return memory;
}

// A part of this class with room, if need be one that belonged to none.
buffer_part* buffer_arena::claim(size_class& of) {
    if (of.has_room()) return &of.fullest();
    if (const std::size_t slab = slab_for(of.buffer_bytes)) {
        if (buffer_part* const in = claim(classes_[class_of(slab)])) return &divide_slab(of, *in);
    }
    // Where there is no room for a slab, a segment that is shorter serves.
    return claim_segment(of);
}

// Divides a slab in a place that is free.
buffer_part& buffer_arena::divide_slab(size_class& of, buffer_part& in) {
    const std::size_t place = in.vacant.empty() ? in.users.size() : in.vacant.back();
    std::byte* const at = in.base + place * in.buffer_bytes;
    buffer_part& slab = changeable(*find(slab_at(in.buffer_bytes, at)));
    try {
        slab.divide(in.buffer_bytes / of.buffer_bytes);
    } catch (const std::bad_alloc&) {
        if (in.used() == 0) vacate(in);
        throw;
    }
    static_cast<void>(give_place(in, slab_here()));
    slab.of = &of;
    slab.buffer_bytes = of.buffer_bytes;
    return slab;
}

buffer_arena::segment* buffer_arena::claim_segment(size_class& of) {
    std::size_t number = find_free(of.buffer_bytes);
    if (number == no_segment) {
        number = find_unmapped(of.buffer_bytes);
        if (number == no_segment && short_ones_make(of.buffer_bytes)) {
            drop_short_ones(of.buffer_bytes);
            number = find_unmapped(of.buffer_bytes);
        }
        if (number == no_segment || !map_segment(number, length_of_next(number))) return nullptr;
    }
    segment& s = segments_[number];
    s.divide(s.bytes / of.buffer_bytes);
    free_.erase(free_.iterator_to(s));
    s.of = &of;
    s.buffer_bytes = of.buffer_bytes;
    statistics_.divided_bytes += s.bytes;
    return &s;
}

// Whether free segments that are too short for such buffers keep one from being mapped that is not.
bool buffer_arena::short_ones_make(std::size_t bytes) const noexcept {
    if (sealed_ || bytes > segment_bytes_) return false;
    bool place = !unmapped_.empty() || whole(segments_.size()) >= bytes;
    std::uint64_t could = room();
    std::size_t shortened = shortened_;  // of the others
    for (const segment& s : free_) {
        if (s.bytes >= bytes) continue;
        could += s.bytes;
        shortened -= s.bytes < whole(s.number) ? 1 : 0;
        place = place || whole(s.number) >= bytes;
    }
    return place && could != room() && could >= bytes &&
           (shortened == 0 || could >= segment_bytes_ / 2);
}

void buffer_arena::drop_short_ones(std::size_t bytes) noexcept {
    for (std::size_t i = segments_.size(); i-- > 0;) {
        if (i >= segments_.size()) continue;
        segment& s = segments_[i];
        if (s.is_free() && s.bytes < bytes) drop(s);
    }
}

buffer_arena::segment* buffer_arena::claim_neighbours(std::size_t size) {
    const auto [first, missing, last_bytes] = find_neighbours(size);
    if (first == no_segment) return nullptr;
    const std::size_t end = first + (size - 1) / segment_bytes_ + 1;
    for (std::size_t i = end; i-- > first;) {
        const std::size_t wanted = i + 1 == end ? last_bytes : segment_bytes_;
        if (bytes_of(i) != 0 && bytes_of(i) != wanted) drop(segments_[i]);
    }
    for (std::size_t i = segments_.size(); i-- > 0 && room() < missing;) {
        const bool outside = i < first || i >= end;
        if (outside && i < segments_.size() && segments_[i].is_free()) drop(segments_[i]);
    }
    std::size_t bytes = 0;
    for (std::size_t i = first; i < end; ++i) {
        const std::size_t wanted = i + 1 == end ? last_bytes : segment_bytes_;
        if (bytes_of(i) == 0 && !map_segment(i, wanted)) return nullptr;
        bytes += segments_[i].bytes;
    }
    segments_[first].divide(1);
    for (std::size_t i = first; i < end; ++i) {
        segment& s = segments_[i];
        free_.erase(free_.iterator_to(s));
        s.first = first;
        s.buffer_bytes = bytes;
        statistics_.divided_bytes += s.bytes;
    }
    segments_[first].run = end - first;
    return &segments_[first];
}

}  // namespace leat::io
