// Divides segments into buffers, and finds room for new ones.
#include "segment_memory.hpp"

#include <leat/io/detail/buffer_arena.hpp>

#include <algorithm>
#include <bit>
#include <cassert>
#include <new>

namespace leat::io {

namespace {

constexpr std::uint64_t largest_segment_bytes = 1 << 30;
// Below this no sum of sizes overflows.
constexpr std::uint64_t address_space_bytes = std::uint64_t{1} << 47;
// Half of the buffers that a ring registers, and an eighth of the mappings that Linux allows.
constexpr std::uint64_t most_segments = 8192;
// With more memory debug builds do not look at each buffer after every change.
constexpr std::uint64_t most_bytes_checked = 64 << 20;

constexpr std::size_t small_classes = 5;  // 4, 8, 16, 32, 64 KiB
constexpr std::size_t small_bytes = 64 << 10;
constexpr std::size_t small_bits = 16;
constexpr std::size_t classes_per_doubling = 4;

// The number of the regular class for buffers of `size` bytes (> 0).
std::size_t regular_class(std::size_t size) noexcept {
    const std::size_t last = size - 1;
    if (size <= small_bytes) return static_cast<std::size_t>(std::bit_width(last / page_bytes));
    const auto bits = static_cast<std::size_t>(std::bit_width(last)) - 1;
    const std::size_t step = std::size_t{1} << (bits - 2);
    return small_classes + (bits - small_bits) * classes_per_doubling +
           (last - (std::size_t{1} << bits)) / step;
}

std::size_t bytes_of_regular_class(std::size_t number) noexcept {
    if (number < small_classes) return page_bytes << number;
    const std::size_t beyond = number - small_classes;
    const std::size_t below = small_bytes << (beyond / classes_per_doubling);
    return below + (beyond % classes_per_doubling + 1) * (below / classes_per_doubling);
}

// With fewer, segments are shorter.
constexpr std::uint64_t fewest_huge_pages = 16;

// How many buffers of `bytes` fit a budget that segments of such a length divide.
std::uint64_t fitting(std::uint64_t budget, std::uint64_t segment, std::uint64_t bytes) noexcept {
    return budget / segment * (segment / bytes) + budget % segment / bytes;
}

// The length of segments, where the budget does not end before.
std::uint64_t segment_length(std::uint64_t budget,
                             std::uint64_t most,
                             std::uint64_t asked) noexcept {
    // A little memory is better divided finely than in huge pages: each size that is in use takes
    // a segment at least.
    const std::uint64_t step =
        most < fewest_huge_pages * huge_page_bytes && asked != 0 ? small_bytes : huge_page_bytes;
    const std::uint64_t least = std::clamp<std::uint64_t>(
        round_up((most + most_segments - 1) / most_segments, step), step, largest_segment_bytes);
    if (asked == 0) return least;
    const std::uint64_t bytes = round_up(asked, page_bytes);
    const std::uint64_t all = budget / bytes;
    std::uint64_t length = std::max(round_up(bytes, step), least);
    while (length < budget && all - fitting(budget, length, bytes) > all / 16) length += step;
    return length;
}

constexpr std::uint64_t whole_pages(std::uint64_t bytes) noexcept {
    return bytes / page_bytes * page_bytes;
}

}  // namespace

buffer_arena::buffer_arena(const arena_options& options) : options_(options) {
    const std::uint64_t budget = whole_pages(std::min(options.budget, address_space_bytes));
    std::uint64_t most = std::min(std::max(options.most_budget, budget), address_space_bytes);
    most = whole_pages(most);
    const std::uint64_t asked = std::min(options.segment_bytes, most);
    segment_bytes_ =
        std::min(segment_length(budget, most, asked), std::max<std::uint64_t>(most, page_bytes));
    while (2 * bytes_of_regular_class(regular_) <= segment_bytes_) ++regular_;
    classes_ = std::vector<size_class>(regular_ + 3);
    for (std::size_t i = 0; i < regular_; ++i) classes_[i].buffer_bytes = bytes_of_regular_class(i);
    classes_[regular_].buffer_bytes = segment_bytes_;
    classes_[regular_ + 1].buffer_bytes = whole_pages(segment_bytes_ / 2);
    classes_[regular_ + 2].buffer_bytes = round_up(asked, page_bytes);
    // Where a process may not have as much address space, it gets what it may have.
    while (most > 0 && (base_ = reserve_space(most)) == nullptr) most = whole_pages(most / 2);
    options_.most_budget = most;
    options_.budget = std::min(budget, most);
}

buffer_arena::~buffer_arena() {
    assert(backend_ == nullptr);
    if (sealed_) {
        for (const segment& s : segments_)
            if (s.bytes > 0) release_space(base_of(s), s.bytes);
    } else if (base_ != nullptr) {
        release_space(base_, options_.most_budget);
    }
}

std::byte* buffer_arena::allocate(std::size_t size, void* user) noexcept {
    if (size == 0) return nullptr;
    const std::size_t number = class_of(size);
    segment* found = nullptr;
    try {
        found = number < classes_.size() ? claim(classes_[number]) : claim_neighbours(size);
    } catch (const std::bad_alloc&) {  // as if the system had no memory for the buffer
    }
    if (found != nullptr) return give_place(*found, user);
    assert(holds());
    return nullptr;
}

std::byte* buffer_arena::allocate_outside(std::size_t except,
                                          std::size_t size,
                                          void* user) noexcept {
    const std::size_t number = class_of(size);
    if (size == 0 || number == classes_.size()) return nullptr;
    size_class& of = classes_[number];
    for (unsigned level = size_class::levels; level-- > 0;) {
        // The first of a list, or the one after that: only one is excepted.
        for (auto& s : of.lists[level])
            if (s.number != except) return give_place(s, user);
    }
    return nullptr;
}

void buffer_arena::release(std::byte* memory, std::size_t size) noexcept {
    assert(segment_of(memory) != no_segment);
    segment& s = segments_[segment_of(memory)];
    const auto distance = static_cast<std::size_t>(memory - base_of(s));
    const std::size_t place = distance / s.buffer_bytes;
    assert(s.first == s.number && distance % s.buffer_bytes == 0);
    assert(s.users[place] != nobody());
    assert(s.of == (class_of(size) < classes_.size() ? &classes_[class_of(size)] : nullptr));
    static_cast<void>(size);
    unlist(s);
    s.users[place] = nobody();
    s.vacant.push_back(static_cast<std::uint32_t>(place));
    statistics_.used_bytes -= s.buffer_bytes;
    if (s.used() > 0) {
        list(s);
    } else {
        const std::size_t first = s.number;
        for (std::size_t i = first + s.run; i-- > first;) liberate(segments_[i]);
    }
    assert(holds());
}

void buffer_arena::set_user(std::byte* memory, void* user) noexcept {
    assert(segment_of(memory) != no_segment);
    segment& s = segments_[segments_[segment_of(memory)].first];
    const auto place = static_cast<std::size_t>(memory - base_of(s)) / s.buffer_bytes;
    assert(s.users[place] != nobody());
    s.users[place] = user;
}

bool buffer_arena::fits(std::size_t size) const noexcept {
    if (size == 0) return false;
    const std::size_t number = class_of(size);
    if (number == classes_.size()) return find_neighbours(size).first != no_segment;
    const size_class& of = classes_[number];
    return of.marks != 0 || find_free(of.buffer_bytes) != no_segment ||
           find_unmapped(of.buffer_bytes) != no_segment || short_ones_make(of.buffer_bytes);
}

std::size_t buffer_arena::buffer_bytes(std::size_t size) const noexcept {
    const std::size_t number = class_of(size);
    if (number < classes_.size()) return classes_[number].buffer_bytes;
    return ((size - 1) / segment_bytes_ + 1) * segment_bytes_;
}

std::uint64_t buffer_arena::buffers_in(std::uint64_t bytes, std::size_t size) const noexcept {
    const std::size_t number = class_of(size);
    if (number < classes_.size())
        return fitting(bytes, segment_bytes_, classes_[number].buffer_bytes);
    const std::uint64_t count = (size - 1) / segment_bytes_ + 1;
    const std::uint64_t whole = bytes / segment_bytes_;
    // The last one may end in the segment that is shorter.
    const bool last =
        whole % count == count - 1 && bytes % segment_bytes_ >= size - (count - 1) * segment_bytes_;
    return whole / count + (last ? 1 : 0);
}

segment_state buffer_arena::state_of(std::size_t number) const noexcept {
    if (number >= segments_.size()) return {};
    const segment& s = segments_[segments_[number].first];
    const std::size_t bytes = segments_[number].bytes;
    if (s.buffer_bytes == 0) return {0, 0, 0, bytes};
    return {s.buffer_bytes, static_cast<std::uint32_t>(s.used()),
            static_cast<std::uint32_t>(s.places), bytes};
}

std::size_t buffer_arena::segment_of(const std::byte* memory) const noexcept {
    // What lies before the base is far behind it.
    const std::uintptr_t distance = reinterpret_cast<std::uintptr_t>(memory) -  //
                                    reinterpret_cast<std::uintptr_t>(base_);
    const std::size_t number = distance / segment_bytes_;
    return number < segments_.size() ? number : no_segment;
}

std::size_t buffer_arena::class_of(std::size_t size) const noexcept {
    if (size > segment_bytes_) return classes_.size();
    std::size_t found = std::min(regular_class(std::max<std::size_t>(size, 1)), regular_);
    for (std::size_t other = regular_ + 1; other < classes_.size(); ++other) {
        const std::size_t bytes = classes_[other].buffer_bytes;
        if (size <= bytes && bytes < classes_[found].buffer_bytes) found = other;
    }
    return found;
}

std::byte* buffer_arena::base_of(const segment& s) const noexcept {
    return base_ + s.number * segment_bytes_;
}

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

std::byte* buffer_arena::give_place(segment& s, void* user) noexcept {
    unlist(s);
    std::size_t place = s.users.size();
    if (s.vacant.empty()) {
        s.users.push_back(user);
    } else {
        place = s.vacant.back();
        s.vacant.pop_back();
        s.users[place] = user;
    }
    statistics_.used_bytes += s.buffer_bytes;
    list(s);
    assert(holds());
    return base_of(s) + place * s.buffer_bytes;
}

// A segment of this class with room, if need be one that belonged to none.
buffer_arena::segment* buffer_arena::claim(size_class& of) {
    if (of.marks != 0)
        return &of.lists[static_cast<unsigned>(std::bit_width(of.marks)) - 1].front();
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
    divide(s, s.bytes / of.buffer_bytes);
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
    divide(segments_[first], 1);
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

// Gives the segment places, all of them free. What is noted of each is noted when it is first used:
// so a change of class takes no time for each.
void buffer_arena::divide(segment& s, std::size_t count) {
    s.users.reserve(count);
    s.vacant.reserve(count);
    s.users.clear();
    s.vacant.clear();
    s.places = count;
}

unsigned buffer_arena::level_of(const segment& s) noexcept {
    return static_cast<unsigned>(s.used() * size_class::levels / s.places);
}

// Puts a segment of a class among those that have room, if it has.
void buffer_arena::list(segment& s) noexcept {
    if (s.of == nullptr || !s.has_room()) return;
    const unsigned level = level_of(s);
    s.of->lists[level].push_front(s);
    s.of->marks |= 1U << level;
}

void buffer_arena::unlist(segment& s) noexcept {
    if (s.of == nullptr || !s.is_linked()) return;
    const unsigned level = level_of(s);
    segment_list& at = s.of->lists[level];
    at.erase(at.iterator_to(s));
    if (at.empty()) s.of->marks &= ~(1U << level);
}

// A segment of which nothing is used belongs to no class any more.
void buffer_arena::liberate(segment& s) noexcept {
    s.of = nullptr;
    s.buffer_bytes = 0;
    s.first = s.number;
    s.run = 1;
    statistics_.divided_bytes -= s.bytes;
    add_free(s);
    drop_excess(s);
}

bool buffer_arena::holds() const noexcept {
    return segments_.size() * segment_bytes_ > most_bytes_checked || fault() == nullptr;
}

}  // namespace leat::io
