// What is always true of an arena, between two calls.
#include <leat/io/detail/buffer_arena.hpp>

#include <algorithm>

namespace leat::io {

const char* buffer_arena::fault() const noexcept {
    if (const char* const wrong = fault_of_segments()) return wrong;
    if (const char* const wrong = fault_of_lists()) return wrong;
    return fault_of_counts();
}

const char* buffer_arena::fault_of_segments() const noexcept {
    std::size_t shortened = 0;
    std::size_t untouched = 0;
    std::uint64_t closed_bytes = 0;
    for (const segment& s : segments_) {
        if (s.bytes > whole(s.number)) return "a segment is longer than its place";
        shortened += s.bytes > 0 && s.bytes < whole(s.number) ? 1 : 0;
        if (s.closed && s.buffer_bytes == 0) return "a segment is closed in which nothing is used";
        closed_bytes += s.closed ? s.bytes : 0;
        if (s.bytes == 0 && s.buffer_bytes != 0) return "a segment is divided that is not mapped";
        if (const char* const wrong = fault_of_run(s)) return wrong;
        if (const char* const wrong = fault_of_places(s)) return wrong;
        if (s.used() != 0 && s.first != s.number)
            return "a buffer is used in a segment that has none";
        if (s.first == s.number && s.buffer_bytes != 0 && s.used() == 0)
            return "an empty segment is divided";
        if (const char* const wrong = fault_of_slabs(s)) return wrong;
        if (s.registered && (backend_ == nullptr || s.bytes == 0))
            return "a segment is registered that cannot be";
        if (s.touched > s.bytes) return "more of a segment has been touched than there is";
        if (s.registered && s.touched < s.bytes)
            return "a segment is registered that has not been touched";
        untouched += is_untouched(s) ? 1 : 0;
        if (is_untouched(s) && s.number < next_untouched_)
            return "a segment that is to be touched is passed over";
    }
    if (closed_bytes != closed_bytes_) return "closed segments are counted wrongly";
    if (untouched != untouched_) return "segments that are to be touched are counted wrongly";
    if (shortened != shortened_) return "segments that are shorter are counted wrongly";
    if (!segments_.empty() && segments_.back().bytes == 0) return "the last segment is not mapped";
    return nullptr;
}

const char* buffer_arena::fault_of_run(const segment& s) const noexcept {
    const bool leads = s.first == s.number;
    if (s.first > s.number || (s.run != 1 && (!leads || s.of != nullptr)))
        return "a segment belongs to neighbours that it has not";
    if (leads && (s.run == 0 || s.number + s.run > segments_.size()))
        return "a segment belongs to neighbours that it has not";
    const segment& lead = segments_[s.first];
    if (s.number >= lead.number + lead.run || s.buffer_bytes != lead.buffer_bytes)
        return "a segment belongs to neighbours that it has not";
    if (!leads) return nullptr;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < s.run; ++i) {
        if (segments_[s.number + i].first != s.number)
            return "a long buffer has lost one of its segments";
        bytes += segments_[s.number + i].bytes;
    }
    if (s.places * s.buffer_bytes > bytes) return "buffers reach beyond their segment";
    if (s.of == nullptr && s.buffer_bytes != 0 && (s.run == 1 || s.buffer_bytes != bytes))
        return "a segment is divided and belongs to no class";
    return nullptr;
}

const char* buffer_arena::fault_of_places(const buffer_part& part) const noexcept {
    if (part.vacant.size() > part.users.size() || part.users.size() > part.places)
        return "a segment has more free places than places";
    const auto place_is_free = [&](std::uint32_t place) {
        return place < part.users.size() && part.users[place] == buffer_part::nobody();
    };
    if (!std::all_of(part.vacant.begin(), part.vacant.end(), place_is_free))
        return "a place is free that has a user";
    if (std::count(part.users.begin(), part.users.end(), buffer_part::nobody()) !=
        static_cast<std::ptrdiff_t>(part.vacant.size()))
        return "a place is neither free nor used";
    if (part.buffer_bytes == 0 && part.used() != 0)
        return "a buffer is used in a segment that has none";
    return nullptr;
}

const char* buffer_arena::fault_of_slabs(const segment& s) const noexcept {
    for (const slab_level& of : slabs_) {
        for (std::size_t i = 0; i < of.in_segment; ++i) {
            const buffer_part& slab = of.parts[s.number * of.in_segment + i];
            const buffer_part& in = around(slab);
            const std::size_t place = in.buffer_bytes == of.bytes ? in.place_of(slab.base) : 0;
            const bool here = in.buffer_bytes == of.bytes && place < in.users.size() &&
                              in.users[place] == slab_here();
            if (here != (slab.buffer_bytes != 0))
                return "a slab is divided where none is, or none is";
            if (here != (slab.used() != 0)) return "an empty slab is divided";
            if (slab.closed != (here && s.closed))
                return "a slab is closed and its segment is not, or the other way round";
            if (here && slab.of == nullptr) return "a slab is divided and belongs to no class";
            if (const char* const wrong = fault_of_places(slab)) return wrong;
            if (slab.places * slab.buffer_bytes > of.bytes)
                return "buffers reach beyond their slab";
            if (!counts_used(slab)) return "what is used of a slab is counted wrongly";
        }
    }
    return counts_used(s) ? nullptr : "what is used of a segment is counted wrongly";
}

bool buffer_arena::counts_used(const buffer_part& part) const noexcept {
    std::size_t used_bytes = 0;
    for (std::size_t i = 0; i < part.users.size(); ++i) {
        if (part.users[i] == slab_here()) {
            used_bytes +=
                find(slab_at(part.buffer_bytes, part.base + i * part.buffer_bytes))->used_bytes;
        } else if (part.users[i] != buffer_part::nobody()) {
            used_bytes += part.buffer_bytes;
        }
    }
    return used_bytes == part.used_bytes;
}

const char* buffer_arena::fault_of_class(const size_class& of) const noexcept {
    std::size_t places = 0;
    std::size_t used = 0;
    for (unsigned level = 0; level <= size_class::levels; ++level) {
        const bool marked = (of.marks >> level & 1U) != 0;
        if (marked != (level < size_class::levels && !of.lists[level].empty()))
            return "a list counts as empty that is not, or the other way round";
        for (const buffer_part& part : of.lists[level]) {
            if (part.of != &of || part.buffer_bytes != of.buffer_bytes)
                return "a segment is listed with another class than its own";
            if (size_class::level_of(part) != level)
                return "a segment is listed as fuller or emptier than it is";
            places += part.places;
            used += part.taken();
        }
    }
    return places == of.places && used == of.used ? nullptr : "a class counts its places wrongly";
}

const char* buffer_arena::fault_of_lists() const noexcept {
    std::size_t listed = 0;
    for (const size_class& of : classes_) {
        if (const char* const wrong = fault_of_class(of)) return wrong;
        for (const auto& level : of.lists) listed += level.size();
    }
    const auto has_class = [](const buffer_part& part) { return part.of != nullptr; };
    auto divided = std::count_if(segments_.begin(), segments_.end(), has_class);
    for (const slab_level& of : slabs_)
        divided += std::count_if(of.parts.begin(), of.parts.end(), has_class);
    if (static_cast<std::size_t>(divided) != listed) return "a divided segment is not listed";
    const auto is_free = [](const segment& s) { return s.is_free(); };
    const auto is_unmapped = [](const segment& s) { return s.bytes == 0; };
    if (!std::all_of(free_.begin(), free_.end(), is_free))
        return "a segment counts as free that is not";
    if (!std::all_of(unmapped_.begin(), unmapped_.end(), is_unmapped))
        return "a segment counts as unmapped that is not";
    const auto count = [this](auto what) {
        return static_cast<std::size_t>(std::count_if(segments_.begin(), segments_.end(), what));
    };
    if (count(is_free) != free_.size()) return "a free segment is not listed";
    if (count(is_unmapped) != unmapped_.size()) return "an unmapped segment is not listed";
    return nullptr;
}

const char* buffer_arena::fault_of_counts() const noexcept {
    arena_statistics found;
    for (const segment& s : segments_) {
        if (s.bytes == 0) continue;
        ++found.segments;
        found.mapped_bytes += s.bytes;
        found.divided_bytes += s.buffer_bytes != 0 ? s.bytes : 0;
        found.used_bytes += s.used_bytes;
        found.registered_bytes += s.registered ? s.bytes : 0;
        found.hugetlb_segments += s.pages == kind::hugetlb ? 1 : 0;
        found.transparent_segments += s.pages == kind::transparent ? 1 : 0;
        found.plain_segments += s.pages == kind::plain ? 1 : 0;
    }
    if (found.segments != statistics_.segments ||
        found.hugetlb_segments != statistics_.hugetlb_segments ||
        found.transparent_segments != statistics_.transparent_segments ||
        found.plain_segments != statistics_.plain_segments)
        return "segments are counted wrongly";
    if (found.mapped_bytes != statistics_.mapped_bytes) return "mapped bytes are counted wrongly";
    if (found.divided_bytes != statistics_.divided_bytes)
        return "divided bytes are counted wrongly";
    if (found.used_bytes != statistics_.used_bytes) return "used bytes are counted wrongly";
    if (found.registered_bytes != statistics_.registered_bytes)
        return "registered bytes are counted wrongly";
    if (found.mapped_bytes > options_.budget && !free_.empty())
        return "more is mapped than the budget allows, and not all is used";
    return nullptr;
}

}  // namespace leat::io
