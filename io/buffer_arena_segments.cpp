// Gets an arena's segments, registers them, and gives them back.
#include "segment_memory.hpp"

#include <leat/io/detail/buffer_arena.hpp>

#include <algorithm>
#include <cassert>
#include <new>

namespace leat::io {

namespace {
// The kernel's limit for one registered buffer.
constexpr std::size_t largest_registered_bytes = 1 << 30;
}  // namespace

void buffer_arena::attach(backend& through) noexcept {
    assert(backend_ == nullptr);
    backend_ = &through;
    registration_works_ = true;
    for (segment& s : segments_)
        if (s.bytes > 0 && !is_untouched(s)) enroll(s);
}

// What cannot be registered is touched by whoever reads into it.
bool buffer_arena::is_untouched(const segment& s) noexcept {
    return s.touched < s.bytes && s.bytes <= largest_registered_bytes &&
           s.number < backend::maximum_buffers;
}

void buffer_arena::count_untouched(const segment& s) noexcept {
    if (!is_untouched(s)) return;
    ++untouched_;
    next_untouched_ = std::min(next_untouched_, s.number);
}

// Whether the next segment should be there before it is needed, so that who needs it does not wait
// until it has been cleared.
bool buffer_arena::wants_spare() const noexcept {
    const std::uint64_t mapped = statistics_.mapped_bytes;
    return mapped != 0 && free_.empty() && mapped - statistics_.used_bytes < segment_bytes_ / 2 &&
           room() >= segment_bytes_ && !no_spare_;
}

void buffer_arena::prepare() noexcept {
    if (!unprepared()) return;
    if (untouched_ == 0) {
        try {
            const std::size_t number = find_unmapped(segment_bytes_);
            no_spare_ = number == no_segment || map_segment(number, segment_bytes_) == nullptr;
        } catch (const std::bad_alloc&) {
            no_spare_ = true;
        }
        assert(holds());
        return;
    }
    while (!is_untouched(segments_[next_untouched_])) ++next_untouched_;
    segment& s = segments_[next_untouched_];
    const std::size_t bytes = std::min(s.bytes - s.touched, most_touched_at_once);
    // Where that fails registering touches it, or finds out why not.
    touch(s.base + s.touched, bytes);
    s.touched += bytes;
    if (s.touched == s.bytes) {
        --untouched_;
        enroll(s);
    }
    assert(holds());
}

void buffer_arena::prepare_all() noexcept {
    try {
        for (std::size_t next = find_unmapped(page_bytes); next != no_segment;
             next = find_unmapped(page_bytes)) {
            if (map_segment(next, length_of_next(next)) == nullptr) break;
        }
    } catch (const std::bad_alloc&) {  // the others serve
    }
    for (segment& s : segments_) {
        if (s.touched == s.bytes) continue;
        const bool counted = is_untouched(s);
        touch(s.base + s.touched, s.bytes - s.touched);
        s.touched = s.bytes;
        if (!counted) continue;
        --untouched_;
        enroll(s);
    }
    assert(holds());
}

void buffer_arena::unregister() noexcept {
    for (segment& s : segments_) withdraw(s);
    registration_works_ = false;
}

void buffer_arena::detach() noexcept {
    backend_ = nullptr;
    for (segment& s : segments_) s.registered = false;
    statistics_.registered_bytes = 0;
}

int buffer_arena::buffer_index(const std::byte* memory) const noexcept {
    const std::size_t number = segment_of(memory);
    if (number == no_segment || !segments_[number].registered) return -1;
    const segment& s = segments_[number];
    return s.first == number && s.run == 1 ? static_cast<int>(number) : -1;
}

int buffer_arena::buffer_index(std::span<const std::span<std::byte>> buffers) const noexcept {
    if (buffers.empty()) return -1;
    const std::size_t first = segment_of(buffers.front().data());
    const bool together = std::all_of(buffers.begin(), buffers.end(), [&](const auto& one) {
        return segment_of(one.data()) == first;
    });
    return together ? buffer_index(buffers.front().data()) : -1;
}

void buffer_arena::set_budget(std::uint64_t bytes) noexcept {
    options_.budget = std::min(bytes, options_.most_budget) / page_bytes * page_bytes;
    // One that is given back may take unmapped ones before it along.
    for (std::size_t i = segments_.size(); i-- > 0;)
        if (i < segments_.size() && segments_[i].is_free()) drop_excess(segments_[i]);
    reopen();
    assert(holds());
}

void buffer_arena::set_closed(buffer_part& part, bool closed) noexcept {
    if (part.of != nullptr) part.of->remove(part);
    part.closed = closed;
    if (part.of != nullptr) part.of->add(part);
}

void buffer_arena::set_closed(segment& s, bool closed) noexcept {
    set_closed(static_cast<buffer_part&>(s), closed);
    for (slab_level& of : slabs_) {
        for (std::size_t i = 0; i < of.in_segment; ++i) {
            buffer_part& slab = of.parts[s.number * of.in_segment + i];
            if (slab.buffer_bytes != 0) set_closed(slab, closed);
        }
    }
    if (closed) {
        closed_bytes_ += s.bytes;
    } else {
        closed_bytes_ -= s.bytes;
    }
}

// Those at the end, so that what remains lies together.
void buffer_arena::close_excess() noexcept {
    for (std::size_t i = segments_.size(); i-- > 0;) {
        if (statistics_.mapped_bytes - closed_bytes_ <= options_.budget) break;
        segment& s = segments_[i];
        if (s.buffer_bytes != 0 && !s.closed) set_closed(s, true);
    }
    assert(holds());
}

// As many as the budget has room for, those at the beginning first.
void buffer_arena::reopen() noexcept {
    if (closed_bytes_ == 0) return;
    for (segment& s : segments_) {
        if (!s.closed) continue;
        if (statistics_.mapped_bytes - closed_bytes_ + s.bytes > options_.budget) return;
        set_closed(s, false);
    }
}

// How long this segment is where the budget does not end before; 0 beyond the address space.
std::size_t buffer_arena::whole(std::size_t number) const noexcept {
    const std::uint64_t before = std::uint64_t{number} * segment_bytes_;
    const std::uint64_t most = options_.most_budget;
    return before < most ? std::min<std::uint64_t>(most - before, segment_bytes_) : 0;
}

// What may be mapped still.
std::uint64_t buffer_arena::room() const noexcept {
    const std::uint64_t mapped = statistics_.mapped_bytes;
    return sealed_ || mapped >= options_.budget ? 0 : options_.budget - mapped;
}

// How long this segment would be if it was mapped now. Only one is much shorter for want of room:
// where budgets change often there would be many small ones else.
std::size_t buffer_arena::length_of_next(std::size_t number) const noexcept {
    const std::size_t length = whole(number);
    if (length <= room()) return length;
    return shortened_ == 0 || room() >= segment_bytes_ / 2 ? room() : 0;
}

// Those that are new are not mapped.
void buffer_arena::note_segments(std::size_t count) {
    const auto base_of = [this](std::size_t one) { return base_ + one * segment_bytes_; };
    try {
        for (unsigned level = 1; slab_level & of : slabs_) {
            while (of.parts.size() < count * of.in_segment) {
                const std::size_t next = of.parts.size();
                std::byte* const in = base_of(next / of.in_segment);
                of.parts.emplace_back(level, next, in + next % of.in_segment * of.bytes);
            }
            ++level;
        }
        while (segments_.size() < count) {
            const std::size_t next = segments_.size();
            unmapped_.push_back(segments_.emplace_back(next, base_of(next)));
        }
    } catch (const std::bad_alloc&) {
        trim();
        throw;
    }
}

// Maps a segment, which is free then. Null if the system has no memory.
buffer_arena::segment* buffer_arena::map_segment(std::size_t number, std::size_t bytes) {
    note_segments(number + 1);
    segment& s = segments_[number];
    if (!map(s, bytes)) {
        trim();
        return nullptr;
    }
    unmapped_.erase(unmapped_.iterator_to(s));
    s.bytes = bytes;
    ++statistics_.segments;
    ++segments_of(s.pages);
    statistics_.mapped_bytes += bytes;
    shortened_ += bytes < whole(number) ? 1 : 0;
    no_spare_ = false;
    s.touched = s.pages == kind::hugetlb ? bytes : 0;
    count_untouched(s);
    add_free(s);
    if (!is_untouched(s)) enroll(s);
    return &s;
}

// Reserved huge pages, else transparent ones, else 4 KiB pages.
bool buffer_arena::map(segment& s, std::size_t bytes) noexcept {
    std::byte* const at = s.base;
    bool taken = false;
    if (options_.huge_pages && hugetlb_works_ && bytes % huge_page_bytes == 0) {
        const hugetlb_result result = take_hugetlb(at, bytes);
        taken = hugetlb_works_ = result == hugetlb_result::taken;
        sealed_ = result == hugetlb_result::lost;
        statistics_.hugetlb_refusals += sealed_ || result == hugetlb_result::refused ? 1 : 0;
    }
    if (sealed_ || (!taken && !take_pages(at, bytes))) return false;
    if (taken) {
        s.pages = kind::hugetlb;
    } else {
        const bool huge =
            options_.huge_pages && bytes >= huge_page_bytes && prefer_huge_pages(at, bytes);
        s.pages = huge ? kind::transparent : kind::plain;
    }
    keep_private(at, bytes);
    return true;
}

// Registers a segment; the first refusal (memlock, as a rule) ends all further attempts.
void buffer_arena::enroll(segment& s) noexcept {
    if (!registers() || s.bytes > largest_registered_bytes || s.number >= backend::maximum_buffers)
        return;
    const auto refused =
        backend_->register_buffer(static_cast<unsigned>(s.number), {s.base, s.bytes});
    if (refused) {
        registration_works_ = false;
        // A backend that has no use for it has not failed.
        const bool never = refused == boost::system::errc::operation_not_supported;
        statistics_.registration_failures += never ? 0 : 1;
        return;
    }
    s.registered = true;
    statistics_.registered_bytes += s.bytes;
}

void buffer_arena::withdraw(segment& s) noexcept {
    if (!s.registered) return;
    // Where a number cannot be cleared none is used again.
    if (backend_->register_buffer(static_cast<unsigned>(s.number), {})) registration_works_ = false;
    s.registered = false;
    statistics_.registered_bytes -= s.bytes;
}

void buffer_arena::add_free(segment& s) noexcept {
    if (s.bytes == segment_bytes_) {
        free_.push_front(s);
    } else {
        free_.push_back(s);
    }
}

// Gives a free segment back that is above the budget, or that could be longer by now; no more of it
// than is above the budget, if it may be so short.
void buffer_arena::drop_excess(segment& s) noexcept {
    const bool short_for_nothing = s.bytes < whole(s.number) && room() > 0;
    const std::uint64_t mapped = statistics_.mapped_bytes;
    const std::uint64_t excess = mapped - std::min(mapped, options_.budget);
    if (excess != 0 && excess < s.bytes && can_be(s, s.bytes - excess)) {
        cut(s, s.bytes - excess);
    } else if (short_for_nothing || excess != 0) {
        drop(s);
    }
}

// Whether a segment may be of that length; part of a reserved huge page is not given back.
bool buffer_arena::can_be(const segment& s, std::size_t bytes) const noexcept {
    const std::size_t shorter = shortened_ - (s.bytes < whole(s.number) ? 1 : 0);
    return s.pages != kind::hugetlb && (shorter == 0 || bytes >= segment_bytes_ / 2);
}

// Gives the end of a free segment back to the system. What remains keeps its pages.
void buffer_arena::cut(segment& s, std::size_t bytes) noexcept {
    withdraw(s);
    free_.erase(free_.iterator_to(s));
    give_back(s.base + bytes, s.bytes - bytes);
    untouched_ -= is_untouched(s) ? 1 : 0;
    statistics_.mapped_bytes -= s.bytes - bytes;
    shortened_ += s.bytes == whole(s.number) ? 1 : 0;
    s.bytes = bytes;
    s.touched = std::min(s.touched, bytes);
    count_untouched(s);
    add_free(s);
    if (!is_untouched(s)) enroll(s);
}

// Gives a free segment back to the system.
void buffer_arena::drop(segment& s) noexcept {
    withdraw(s);
    free_.erase(free_.iterator_to(s));
    untouched_ -= is_untouched(s) ? 1 : 0;
    no_spare_ = false;
    give_back(s.base, s.bytes);
    --statistics_.segments;
    --segments_of(s.pages);
    statistics_.mapped_bytes -= s.bytes;
    shortened_ -= s.bytes < whole(s.number) ? 1 : 0;
    s.bytes = s.touched = 0;
    forget(s);
    unmapped_.push_front(s);
    trim();
}

// What is noted of its places takes memory.
void buffer_arena::forget(segment& s) noexcept {
    const auto forget_places = [](buffer_part& part) {
        part.users = {};
        part.vacant = {};
        part.places = 0;
    };
    forget_places(s);
    for (slab_level& of : slabs_)
        for (std::size_t i = 0; i < of.in_segment; ++i)
            forget_places(of.parts[s.number * of.in_segment + i]);
}

// Forgets the segments at the end that are not mapped.
void buffer_arena::trim() noexcept {
    while (!segments_.empty() && segments_.back().bytes == 0) {
        unmapped_.erase(unmapped_.iterator_to(segments_.back()));
        segments_.pop_back();
    }
    for (slab_level& of : slabs_)
        while (of.parts.size() > segments_.size() * of.in_segment) of.parts.pop_back();
}

std::uint64_t& buffer_arena::segments_of(kind pages) noexcept {
    switch (pages) {
        case kind::hugetlb:
            return statistics_.hugetlb_segments;
        case kind::transparent:
            return statistics_.transparent_segments;
        case kind::plain:
            break;
    }
    return statistics_.plain_segments;
}

}  // namespace leat::io
