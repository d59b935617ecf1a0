// Divides segments into buffers, and gives and takes these.
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
    // Slabs are buffers of a regular class.
    std::size_t slab = std::min<std::uint64_t>(options.slab_bytes, huge_page_bytes);
    if (slab != 0) slab = bytes_of_regular_class(regular_class(slab));
    if (2 * slab > segment_bytes_) slab = 0;
    const std::size_t small =
        std::bit_floor(std::min<std::uint64_t>(options.small_slab_bytes, slab));
    const bool parts_slabs = small >= page_bytes && small < slab && slab % small == 0;
    slabs_.front().bytes = slab;
    slabs_.back().bytes = parts_slabs ? small : 0;
    for (slab_level& of : slabs_) of.in_segment = of.bytes == 0 ? 0 : segment_bytes_ / of.bytes;
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
            if (s.bytes > 0) release_space(s.base, s.bytes);
    } else if (base_ != nullptr) {
        release_space(base_, options_.most_budget);
    }
}

std::byte* buffer_arena::allocate(std::size_t size, void* user) noexcept {
    if (size == 0) return nullptr;
    const std::size_t number = class_of(size);
    buffer_part* found = nullptr;
    try {
        found = number < classes_.size() ? claim(classes_[number]) : claim_neighbours(size);
    } catch (const std::bad_alloc&) {  // as if the system had no memory for the buffer
    }
    std::byte* const memory = found != nullptr ? give_place(*found, user) : nullptr;
    assert(holds());
    return memory;
}

std::byte* buffer_arena::allocate_outside(std::size_t first,
                                          std::size_t count,
                                          std::size_t size,
                                          void* user) noexcept {
    const std::size_t number = class_of(size);
    if (size == 0 || number == classes_.size()) return nullptr;
    buffer_part* found = nullptr;
    try {
        found = claim_outside(classes_[number], first, count);
    } catch (const std::bad_alloc&) {
    }
    std::byte* const memory = found != nullptr ? give_place(*found, user) : nullptr;
    assert(holds());
    return memory;
}

// Those that are excepted are few.
buffer_part* buffer_arena::find_outside(size_class& of,
                                        std::size_t first,
                                        std::size_t count) noexcept {
    for (unsigned level = size_class::levels; level-- > 0;) {
        for (buffer_part& one : of.lists[level]) {
            if (!lies_within(one, first, count)) return &one;
        }
    }
    return nullptr;
}

buffer_part* buffer_arena::claim_outside(size_class& of, std::size_t first, std::size_t count) {
    buffer_part* const found = find_outside(of, first, count);
    const std::size_t slab = slab_for(of.buffer_bytes);
    if (found != nullptr || slab == 0) return found;
    buffer_part* const in = claim_outside(classes_[class_of(slab)], first, count);
    return in != nullptr ? &divide_slab(of, *in) : nullptr;
}

// Whether it is one of these parts, or lies in one.
bool buffer_arena::lies_within(const buffer_part& part,
                               std::size_t first,
                               std::size_t count) const noexcept {
    const std::size_t number = part_number(part);
    if (number >= first && number - first < count) return true;
    return part.level != 0 && lies_within(around(part), first, count);
}

void buffer_arena::release(std::byte* memory, std::size_t size) noexcept {
    buffer_part& part = changeable(innermost(memory));
    const std::size_t place = part.place_of(memory);
    assert(part.base + place * part.buffer_bytes == memory);
    assert(part.of == (class_of(size) < classes_.size() ? &classes_[class_of(size)] : nullptr));
    static_cast<void>(size);
    count_used(part, -static_cast<std::int64_t>(part.buffer_bytes));
    leave(part, place);
    assert(holds());
}

void buffer_arena::count_used(buffer_part& in, std::int64_t bytes) noexcept {
    statistics_.used_bytes += static_cast<std::uint64_t>(bytes);
    buffer_part* part = &in;
    for (; part->level != 0; part = &changeable(around(*part)))
        part->used_bytes += static_cast<std::uint64_t>(bytes);
    part->used_bytes += static_cast<std::uint64_t>(bytes);
}

void buffer_arena::leave(buffer_part& part, std::size_t place) noexcept {
    if (part.of != nullptr) part.of->remove(part);
    part.leave(place);
    if (part.used() > 0) {
        part.of->add(part);
    } else {
        vacate(part);
    }
}

// Of what is not used any more nothing is divided.
void buffer_arena::vacate(buffer_part& part) noexcept {
    if (part.level != 0) {
        buffer_part& in = changeable(around(part));
        part.of = nullptr;
        part.buffer_bytes = 0;
        part.closed = false;
        leave(in, in.place_of(part.base));
    } else {
        const std::size_t first = part.number;
        for (std::size_t i = first + segments_[first].run; i-- > first;) liberate(segments_[i]);
        reopen();
    }
}

void buffer_arena::set_user(std::byte* memory, void* user) noexcept {
    buffer_part& part = changeable(innermost(memory));
    const std::size_t place = part.place_of(memory);
    assert(part.users[place] != buffer_part::nobody());
    part.users[place] = user;
}

// Null if there is none. Of a long buffer's segments it is the first.
const buffer_part* buffer_arena::find(std::size_t part) const noexcept {
    if (part < segments_.size()) return &segments_[segments_[part].first];
    const std::size_t level = part / first_slab;
    if (level == 0 || level > slabs_.size()) return nullptr;
    const std::deque<buffer_part>& all = slabs_[level - 1].parts;
    return part % first_slab < all.size() ? &all[part % first_slab] : nullptr;
}

// The part that a slab of such a length is at that place.
std::size_t buffer_arena::slab_at(std::size_t slab_bytes, const std::byte* at) const noexcept {
    const std::size_t level = slab_bytes == slabs_.front().bytes ? 0 : 1;
    const std::size_t in = segment_of(at);
    const auto distance = static_cast<std::size_t>(at - segments_[in].base);
    return (level + 1) * first_slab + in * slabs_[level].in_segment + distance / slab_bytes;
}

const buffer_part& buffer_arena::innermost(const std::byte* memory) const noexcept {
    assert(segment_of(memory) != no_segment);
    const buffer_part* found = &segments_[segments_[segment_of(memory)].first];
    while (is_slab_length(found->buffer_bytes)) {
        const buffer_part& slab = *find(slab_at(found->buffer_bytes, memory));
        if (slab.buffer_bytes == 0) break;
        found = &slab;
    }
    return *found;
}

// Small slabs lie in slabs, but for those of a segment that is too short for one.
const buffer_part& buffer_arena::around(const buffer_part& slab) const noexcept {
    const segment& in = segments_[segment_of(slab.base)];
    const bool in_slab = slab.level == 2 && in.buffer_bytes == slab_bytes() &&
                         in.place_of(slab.base) < slabs_.front().in_segment;
    return in_slab ? *find(slab_at(slab_bytes(), slab.base)) : in;
}

bool buffer_arena::fits(std::size_t size) const noexcept {
    if (size == 0) return false;
    const std::size_t number = class_of(size);
    if (number == classes_.size()) return find_neighbours(size).first != no_segment;
    const size_class& of = classes_[number];
    return of.has_room() || fits(slab_for(of.buffer_bytes)) ||
           find_free(of.buffer_bytes) != no_segment ||
           find_unmapped(of.buffer_bytes) != no_segment || short_ones_make(of.buffer_bytes);
}

std::size_t buffer_arena::buffer_bytes(std::size_t size) const noexcept {
    const std::size_t number = class_of(size);
    if (number < classes_.size()) return classes_[number].buffer_bytes;
    return ((size - 1) / segment_bytes_ + 1) * segment_bytes_;
}

std::uint64_t buffer_arena::buffers_in(std::uint64_t bytes, std::size_t size) const noexcept {
    const std::size_t number = class_of(size);
    if (number < classes_.size()) {
        const std::size_t each = classes_[number].buffer_bytes;
        const std::size_t slab = slab_for(each);
        if (slab == 0) return fitting(bytes, segment_bytes_, each);
        // What is too short for a slab is a segment by itself.
        const std::uint64_t rest = bytes % segment_bytes_;
        return buffers_in(bytes, slab) * (slab / each) + (rest < slab ? rest / each : 0);
    }
    const std::uint64_t count = (size - 1) / segment_bytes_ + 1;
    const std::uint64_t whole = bytes / segment_bytes_;
    // The last one may end in the segment that is shorter.
    const bool last =
        whole % count == count - 1 && bytes % segment_bytes_ >= size - (count - 1) * segment_bytes_;
    return whole / count + (last ? 1 : 0);
}

part_state buffer_arena::state_of(std::size_t part) const noexcept {
    const buffer_part* const of = find(part);
    if (of == nullptr) return {};
    if (of->level != 0 && of->buffer_bytes == 0) return {};
    const std::size_t bytes = of->level == 0 ? segments_[part].bytes : slabs_[of->level - 1].bytes;
    if (of->buffer_bytes == 0) return {0, 0, 0, bytes, 0};
    return {of->buffer_bytes, static_cast<std::uint32_t>(of->used()),
            static_cast<std::uint32_t>(of->places), bytes, of->used_bytes};
}

std::size_t buffer_arena::segment_of(const std::byte* memory) const noexcept {
    // What lies before the base is far behind it.
    const std::uintptr_t distance = reinterpret_cast<std::uintptr_t>(memory) -  //
                                    reinterpret_cast<std::uintptr_t>(base_);
    const std::size_t number = distance / segment_bytes_;
    return number < segments_.size() ? number : no_segment;
}

std::size_t buffer_arena::part_of(const std::byte* memory) const noexcept {
    const std::size_t in = segment_of(memory);
    if (in == no_segment) return in;
    const buffer_part& found = innermost(memory);
    return found.level == 0 ? in : part_number(found);
}

bool buffer_arena::makes_room(const std::byte* memory, std::size_t wanted) const noexcept {
    const std::size_t bytes = wanted != 0 ? buffer_bytes(wanted) : 0;
    const buffer_part* part = &innermost(memory);
    for (;; part = &around(*part)) {
        if (is_room_for(part->buffer_bytes, bytes)) return true;
        if (part->used() != 1) return false;
        if (part->level == 0) return true;
    }
}

std::size_t buffer_arena::vacant(std::size_t buffer_bytes) const noexcept {
    const std::size_t number = class_of(buffer_bytes);
    return number < classes_.size() ? classes_[number].vacant() : 0;
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

// A segment of which nothing is used belongs to no class any more.
void buffer_arena::liberate(segment& s) noexcept {
    s.of = nullptr;
    s.buffer_bytes = 0;
    s.first = s.number;
    s.run = 1;
    closed_bytes_ -= s.closed ? s.bytes : 0;
    s.closed = false;
    statistics_.divided_bytes -= s.bytes;
    add_free(s);
    drop_excess(s);
}

bool buffer_arena::holds() const noexcept {
    return segments_.size() * segment_bytes_ > most_bytes_checked || fault() == nullptr;
}

}  // namespace leat::io
