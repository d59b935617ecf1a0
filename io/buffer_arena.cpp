// Maps segments, divides them into buffers, and registers them.
#include <leat/io/detail/buffer_arena.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <new>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MAP_HUGE_2MB
#define MAP_HUGE_2MB (21 << 26)
#endif

namespace leat::io {

namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t huge_page_bytes = 2 << 20;
// The kernel's limit for one registered buffer.
constexpr std::size_t largest_segment_bytes = 1 << 30;
// Below this no sum of sizes overflows.
constexpr std::uint64_t address_space_bytes = std::uint64_t{1} << 47;
// Half of the buffers that a ring registers.
constexpr std::uint64_t most_segments = 8192;
// With more segments debug builds do not look at each after every change.
constexpr std::size_t most_segments_checked = 64;

std::size_t round_up(std::size_t size, std::size_t to) noexcept {
    return (size + to - 1) & ~(to - 1);
}

void* map_pages(std::size_t bytes, int flags) noexcept {
    void* const address =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return address == MAP_FAILED ? nullptr : address;
}

// Maps `bytes` at a multiple of a huge page, by mapping more and giving the ends back.
std::byte* map_aligned(std::size_t bytes) noexcept {
    const std::size_t whole = bytes + huge_page_bytes - page_bytes;
    auto* const start = static_cast<std::byte*>(map_pages(whole, 0));
    if (start == nullptr) {
        return nullptr;
    }
    const auto address = reinterpret_cast<std::uintptr_t>(start);
    const std::size_t before = round_up(address, huge_page_bytes) - address;
    const std::size_t after = whole - before - bytes;
    if (before > 0) {
        ::munmap(start, before);
    }
    if (after > 0) {
        ::munmap(start + before + bytes, after);
    }
    return start + before;
}

// Whether the memory can be used: reserved pages may be refused when they are touched.
bool populate(void* memory, std::size_t bytes) noexcept {
    int result = 0;
    do {
        result = ::madvise(memory, bytes, MADV_POPULATE_WRITE);
    } while (result != 0 && (errno == EINTR || errno == EAGAIN));
    return result == 0;
}

}  // namespace

buffer_arena::buffer_arena(const arena_options& options) : options_(options) {
    options_.budget = std::min(options_.budget, address_space_bytes);
}

buffer_arena::~buffer_arena() {
    assert(backend_ == nullptr);
    for (const auto& of : classes_) {
        of->partial.clear();
        of->vacant.clear();
    }
    for (const auto& s : segments_) {
        ::munmap(s->base, s->bytes);
    }
}

void buffer_arena::attach(backend& through) noexcept {
    assert(backend_ == nullptr);
    backend_ = &through;
    registration_works_ = true;
    for (const auto& s : segments_) {
        enroll(*s);
    }
}

void buffer_arena::unregister() noexcept {
    registration_works_ = false;
    for (const auto& s : segments_) {
        if (s->index >= 0) {
            static_cast<void>(backend_->register_buffer(static_cast<unsigned>(s->index), {}));
            s->index = -1;
        }
    }
    statistics_.registered_bytes = 0;
}

void buffer_arena::detach() noexcept {
    backend_ = nullptr;
    for (const auto& s : segments_) {
        s->index = -1;
    }
    free_indices_.clear();
    next_index_ = 0;
    statistics_.registered_bytes = 0;
}

std::byte* buffer_arena::allocate(std::size_t size) noexcept {
    if (size == 0 || size > options_.budget) {
        return nullptr;
    }
    const std::size_t buffer_size = round_up(size, page_bytes);
    size_class* of = find_class(buffer_size);
    segment* s = nullptr;
    if (of != nullptr && !of->partial.empty()) {
        s = &of->partial.front();
    } else if (of != nullptr && !of->vacant.empty()) {
        s = &of->vacant.front();
    } else {
        try {
            s = add_segment(buffer_size);
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
        if (s == nullptr) {
            return nullptr;
        }
        of = find_class(buffer_size);
    }
    const bool was_vacant = s->free.size() == s->count;
    const std::uint32_t number = s->free.back();
    s->free.pop_back();
    if (was_vacant) {
        of->vacant.erase(segment_list::s_iterator_to(*s));
        of->partial.push_front(*s);
    }
    if (s->free.empty()) {
        of->partial.erase(segment_list::s_iterator_to(*s));
    }
    statistics_.used_bytes += buffer_size;
    assert(segments_.size() > most_segments_checked || fault() == nullptr);
    return s->base + number * buffer_size;
}

void buffer_arena::release(std::byte* memory, std::size_t size) noexcept {
    segment* const s = find_segment(memory);
    assert(s != nullptr && s->buffer_size == round_up(size, page_bytes));
    size_class* const of = find_class(s->buffer_size);
    const auto distance = static_cast<std::size_t>(memory - s->base);
    assert(distance % s->buffer_size == 0 && s->free.size() < s->count);
    if (!s->free.empty()) {
        of->partial.erase(segment_list::s_iterator_to(*s));
    }
    s->free.push_back(static_cast<std::uint32_t>(distance / s->buffer_size));
    (s->free.size() == s->count ? of->vacant : of->partial).push_front(*s);
    statistics_.used_bytes -= round_up(size, page_bytes);
    assert(segments_.size() > most_segments_checked || fault() == nullptr);
}

int buffer_arena::buffer_index(const std::byte* memory) const noexcept {
    const segment* const s = find_segment(memory);
    return s == nullptr ? -1 : s->index;
}

arena_statistics buffer_arena::statistics() const noexcept {
    return statistics_;
}

buffer_arena::size_class* buffer_arena::find_class(std::size_t buffer_size) noexcept {
    for (const auto& of : classes_) {
        if (of->buffer_size == buffer_size) {
            return of.get();
        }
    }
    return nullptr;
}

buffer_arena::segment* buffer_arena::find_segment(const std::byte* memory) const noexcept {
    auto after = std::upper_bound(segments_.begin(), segments_.end(), memory,
                                  [](const std::byte* m, const auto& s) { return m < s->base; });
    if (after == segments_.begin()) {
        return nullptr;
    }
    segment* const s = std::prev(after)->get();
    return memory < s->base + s->bytes ? s : nullptr;
}

// As many that the whole budget needs at most `most_segments`, and small ones share a huge page.
std::size_t buffer_arena::buffers_in_segment(std::size_t buffer_size) const noexcept {
    const std::uint64_t least = (options_.budget + most_segments - 1) / most_segments;
    const std::uint64_t target =
        std::clamp<std::uint64_t>(least, huge_page_bytes, largest_segment_bytes);
    return buffer_size >= target ? 1 : target / buffer_size;
}

// Gives vacant segments back until `bytes` fit the budget or none is left.
void buffer_arena::make_room(std::size_t bytes) noexcept {
    for (std::size_t i = classes_.size();
         i-- > 0 && statistics_.mapped_bytes + bytes > options_.budget;) {
        size_class& of = *classes_[i];
        while (!of.vacant.empty() && statistics_.mapped_bytes + bytes > options_.budget) {
            drop_segment(of, of.vacant.back());
        }
        if (of.segments == 0) {
            classes_.erase(classes_.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
}

// Maps another segment for buffers of `buffer_size` bytes, with fewer than usual if the budget ends
// there. Null if it has no room for one, or the system none.
buffer_arena::segment* buffer_arena::add_segment(std::size_t buffer_size) {
    std::size_t count = buffers_in_segment(buffer_size);
    make_room(count * buffer_size);
    const std::uint64_t room = options_.budget - statistics_.mapped_bytes;
    count = std::min<std::uint64_t>(count, room / buffer_size);
    if (count == 0) {
        return nullptr;
    }
    size_class* of = find_class(buffer_size);
    if (of == nullptr) {
        classes_.push_back(std::make_unique<size_class>());
        of = classes_.back().get();
        of->buffer_size = buffer_size;
    }
    auto made = std::make_unique<segment>();
    made->buffer_size = buffer_size;
    made->count = static_cast<std::uint32_t>(count);
    made->bytes = count * buffer_size;
    // A huge page at the end is worth a little room.
    const std::size_t rounded = round_up(made->bytes, huge_page_bytes);
    if (options_.huge_pages && rounded - made->bytes <= rounded / 16 && rounded <= room) {
        made->bytes = rounded;
    }
    made->free.reserve(count);
    for (std::size_t i = count; i-- > 0;) {
        made->free.push_back(static_cast<std::uint32_t>(i));
    }
    if (segments_.size() == segments_.capacity()) {
        segments_.reserve(2 * segments_.size() + 16);
    }
    free_indices_.reserve(segments_.capacity());  // so that drop_segment() never allocates
    if (!map(*made)) {
        return nullptr;
    }
    segment* const s = made.get();
    const auto place =
        std::upper_bound(segments_.begin(), segments_.end(), s->base,
                         [](const std::byte* m, const auto& other) { return m < other->base; });
    segments_.insert(place, std::move(made));
    of->vacant.push_front(*s);
    ++of->segments;
    ++statistics_.segments;
    ++segments_of(s->pages);
    statistics_.mapped_bytes += s->bytes;
    enroll(*s);
    assert(segments_.size() > most_segments_checked || fault() == nullptr);
    return s;
}

// Maps a segment's memory: reserved huge pages, else transparent ones, else 4 KiB pages.
bool buffer_arena::map(segment& s) noexcept {
    if (options_.huge_pages && hugetlb_works_ && s.bytes % huge_page_bytes == 0) {
        s.base = static_cast<std::byte*>(map_pages(s.bytes, MAP_HUGETLB | MAP_HUGE_2MB));
        if (s.base != nullptr && !populate(s.base, s.bytes)) {
            ::munmap(s.base, s.bytes);
            s.base = nullptr;
            ++statistics_.hugetlb_refusals;
        }
        hugetlb_works_ = s.base != nullptr;
        s.pages = kind::hugetlb;
    }
    if (s.base == nullptr) {
        s.base = s.bytes >= huge_page_bytes ? map_aligned(s.bytes)
                                            : static_cast<std::byte*>(map_pages(s.bytes, 0));
        if (s.base == nullptr) {
            return false;
        }
        const bool huge = options_.huge_pages && s.bytes >= huge_page_bytes &&
                          ::madvise(s.base, s.bytes, MADV_HUGEPAGE) == 0;
        s.pages = huge ? kind::transparent : kind::plain;
    }
    // A fork would copy the page tables of memory that the kernel has pinned, a core file all of
    // the cache.
    ::madvise(s.base, s.bytes, MADV_DONTFORK);
    ::madvise(s.base, s.bytes, MADV_DONTDUMP);
    return true;
}

// Registers a segment; the first refusal (memlock, as a rule) ends all further attempts.
void buffer_arena::enroll(segment& s) noexcept {
    if (backend_ == nullptr || !options_.register_buffers || !registration_works_ ||
        s.bytes > largest_segment_bytes) {
        return;
    }
    int index = next_index_;
    if (!free_indices_.empty()) {
        index = free_indices_.back();
    } else if (next_index_ == static_cast<int>(backend::maximum_buffers)) {
        return;
    }
    const auto refused = backend_->register_buffer(static_cast<unsigned>(index), {s.base, s.bytes});
    if (refused) {
        registration_works_ = false;
        // A backend that has no use for it has not failed.
        const bool never = refused == boost::system::errc::operation_not_supported;
        statistics_.registration_failures += never ? 0 : 1;
        return;
    }
    if (free_indices_.empty()) {
        ++next_index_;
    } else {
        free_indices_.pop_back();
    }
    s.index = index;
    statistics_.registered_bytes += s.bytes;
}

// Unregisters and unmaps a vacant segment.
void buffer_arena::drop_segment(size_class& of, segment& s) noexcept {
    assert(s.free.size() == s.count);
    of.vacant.erase(segment_list::s_iterator_to(s));
    --of.segments;
    --statistics_.segments;
    --segments_of(s.pages);
    statistics_.mapped_bytes -= s.bytes;
    if (s.index >= 0) {
        // An index that cannot be cleared is not used again.
        if (!backend_->register_buffer(static_cast<unsigned>(s.index), {})) {
            free_indices_.push_back(s.index);
        }
        statistics_.registered_bytes -= s.bytes;
    }
    ::munmap(s.base, s.bytes);
    const auto place =
        std::lower_bound(segments_.begin(), segments_.end(), s.base,
                         [](const auto& other, const std::byte* m) { return other->base < m; });
    segments_.erase(place);
    assert(segments_.size() > most_segments_checked || fault() == nullptr);
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
