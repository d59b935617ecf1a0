// What is always true of an arena, between two calls.
#include <leat/io/detail/buffer_arena.hpp>

#include <algorithm>

namespace leat::io {

const char* buffer_arena::fault() const noexcept {
    if (const char* const wrong = fault_of_segments()) return wrong;
    if (const char* const wrong = fault_of_classes()) return wrong;
    return fault_of_indices();
}

const char* buffer_arena::fault_of_segments() const noexcept {
    arena_statistics found;
    const segment* before = nullptr;
    for (const auto& each : segments_) {
        const segment& s = *each;
        if (before != nullptr && before->base + before->bytes > s.base)
            return "segments overlap or lie in disorder";
        before = &s;
        if (s.free.size() > s.count) return "a segment has more free buffers than it has buffers";
        if (s.count * s.buffer_size > s.bytes) return "buffers reach beyond their segment";
        found.mapped_bytes += s.bytes;
        found.used_bytes += (s.count - s.free.size()) * s.buffer_size;
        found.registered_bytes += s.index >= 0 ? s.bytes : 0;
        found.hugetlb_segments += s.pages == kind::hugetlb ? 1 : 0;
        found.transparent_segments += s.pages == kind::transparent ? 1 : 0;
        found.plain_segments += s.pages == kind::plain ? 1 : 0;
    }
    if (segments_.size() != statistics_.segments ||
        found.hugetlb_segments != statistics_.hugetlb_segments ||
        found.transparent_segments != statistics_.transparent_segments ||
        found.plain_segments != statistics_.plain_segments)
        return "segments are counted wrongly";
    if (found.mapped_bytes != statistics_.mapped_bytes) return "mapped bytes are counted wrongly";
    if (found.used_bytes != statistics_.used_bytes) return "used bytes are counted wrongly";
    if (found.registered_bytes != statistics_.registered_bytes)
        return "registered bytes are counted wrongly";
    if (found.mapped_bytes > options_.budget) return "more is mapped than the budget allows";
    return nullptr;
}

const char* buffer_arena::fault_of_classes() const noexcept {
    std::size_t all = 0;
    for (const auto& each : classes_) {
        const size_class& of = *each;
        all += of.segments;
        if (of.partial.size() + of.vacant.size() > of.segments)
            return "more segments of a size have room than there are";
        for (const segment& s : of.partial) {
            if (s.free.empty() || s.free.size() == s.count)
                return "a segment counts as partly free that is not";
            if (s.buffer_size != of.buffer_size) return "a segment serves two sizes";
        }
        for (const segment& s : of.vacant) {
            if (s.free.size() != s.count) return "a segment counts as free that is not";
            if (s.buffer_size != of.buffer_size) return "a segment serves two sizes";
        }
    }
    if (all != segments_.size()) return "segments of a size are counted wrongly";
    const auto has_room = [](const auto& s) { return !s->free.empty(); };
    const auto listed = [](const auto& s) { return s->is_linked(); };
    if (std::count_if(segments_.begin(), segments_.end(), has_room) !=
        std::count_if(segments_.begin(), segments_.end(), listed))
        return "a segment with room is not listed, or one without is";
    return nullptr;
}

const char* buffer_arena::fault_of_indices() const noexcept {
    std::size_t registered = free_indices_.size();
    for (const auto& s : segments_) {
        if (s->index >= next_index_) return "a segment is registered under a number never given";
        if (s->index < 0) continue;
        ++registered;
        if (std::find(free_indices_.begin(), free_indices_.end(), s->index) != free_indices_.end())
            return "a segment is registered under a number given back";
    }
    if (registered > static_cast<std::size_t>(next_index_))
        return "more numbers of registered buffers are in use than were given";
    return nullptr;
}

}  // namespace leat::io
