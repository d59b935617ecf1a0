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
    slab_bytes_ =
        round_up(std::min<std::uint64_t>(options.slab_bytes, huge_page_bytes), page_bytes);
    if (slab_bytes_ != 0) slab_bytes_ = bytes_of_regular_class(regular_class(slab_bytes_));
    // Slabs are buffers of a regular class.
    if (2 * slab_bytes_ > segment_bytes_) slab_bytes_ = 0;
    slabs_in_segment_ = slab_bytes_ == 0 ? 0 : segment_bytes_ / slab_bytes_;
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
    size_class& of = classes_[number];
    buffer_part* found = find_outside(of, first, count);
    if (found == nullptr && in_slabs(of.buffer_bytes)) {
        buffer_part* const in = find_outside(slabs_of(), first, count);
        try {
            if (in != nullptr) found = &divide_slab(of, *in);
        } catch (const std::bad_alloc&) {
        }
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
            const std::size_t in = is_slab(one) ? one.number / slabs_in_segment_ : one.number;
            if (!is_within(in, first, count) && !is_within(part_number(one), first, count))
                return &one;
        }
    }
    return nullptr;
}

void buffer_arena::release(std::byte* memory, std::size_t size) noexcept {
    buffer_part& part = innermost(memory);
    const std::size_t place = part.place_of(memory);
    assert(part.base + place * part.buffer_bytes == memory);
    assert(part.of == (class_of(size) < classes_.size() ? &classes_[class_of(size)] : nullptr));
    static_cast<void>(size);
    statistics_.used_bytes -= part.buffer_bytes;
    segments_[segment_of(memory)].used_bytes -= part.buffer_bytes;
    leave(part, place);
    assert(holds());
}

// Of what is not used any more nothing is divided.
void buffer_arena::leave(buffer_part& part, std::size_t place) noexcept {
    if (part.of != nullptr) part.of->remove(part);
    part.leave(place);
    if (part.used() > 0) {
        part.of->add(part);
    } else if (is_slab(part)) {
        part.of = nullptr;
        part.buffer_bytes = 0;
        segment& in = segments_[part.number / slabs_in_segment_];
        leave(in, in.place_of(part.base));
    } else {
        const std::size_t first = part.number;
        for (std::size_t i = first + segments_[first].run; i-- > first;) liberate(segments_[i]);
    }
}

void buffer_arena::set_user(std::byte* memory, void* user) noexcept {
    buffer_part& part = innermost(memory);
    const std::size_t place = part.place_of(memory);
    assert(part.users[place] != buffer_part::nobody());
    part.users[place] = user;
}

buffer_part& buffer_arena::innermost(const std::byte* memory) noexcept {
    assert(segment_of(memory) != no_segment);
    const std::size_t part = part_of(memory);
    if (part >= first_slab) return slabs_[part - first_slab];
    return segments_[segments_[part].first];
}

bool buffer_arena::fits(std::size_t size) const noexcept {
    if (size == 0) return false;
    const std::size_t number = class_of(size);
    if (number == classes_.size()) return find_neighbours(size).first != no_segment;
    const size_class& of = classes_[number];
    return of.has_room() || (in_slabs(of.buffer_bytes) && fits(slab_bytes_)) ||
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
        if (!in_slabs(each)) return fitting(bytes, segment_bytes_, each);
        const std::uint64_t slabs = fitting(bytes, segment_bytes_, slab_bytes_);
        // What is too short for a slab is a segment by itself.
        const std::uint64_t rest = bytes % segment_bytes_;
        return slabs * (slab_bytes_ / each) + (rest < slab_bytes_ ? rest / each : 0);
    }
    const std::uint64_t count = (size - 1) / segment_bytes_ + 1;
    const std::uint64_t whole = bytes / segment_bytes_;
    // The last one may end in the segment that is shorter.
    const bool last =
        whole % count == count - 1 && bytes % segment_bytes_ >= size - (count - 1) * segment_bytes_;
    return whole / count + (last ? 1 : 0);
}

part_state buffer_arena::state_of(std::size_t part) const noexcept {
    const auto state = [](const buffer_part& of, std::size_t bytes, std::size_t used_bytes) {
        return part_state{of.buffer_bytes, static_cast<std::uint32_t>(of.used()),
                          static_cast<std::uint32_t>(of.places), bytes, used_bytes};
    };
    if (part >= first_slab) {
        if (part - first_slab >= slabs_.size()) return {};
        const buffer_part& slab = slabs_[part - first_slab];
        if (slab.buffer_bytes == 0) return {};
        return state(slab, slab_bytes_, slab.used() * slab.buffer_bytes);
    }
    if (part >= segments_.size()) return {};
    const segment& lead = segments_[segments_[part].first];
    const std::size_t bytes = segments_[part].bytes;
    if (lead.buffer_bytes == 0) return {0, 0, 0, bytes, 0};
    return state(lead, bytes, lead.used_bytes);
}

std::size_t buffer_arena::segment_of(const std::byte* memory) const noexcept {
    // What lies before the base is far behind it.
    const std::uintptr_t distance = reinterpret_cast<std::uintptr_t>(memory) -  //
                                    reinterpret_cast<std::uintptr_t>(base_);
    const std::size_t number = distance / segment_bytes_;
    return number < segments_.size() ? number : no_segment;
}

// Of the place in which a slab may lie.
std::size_t buffer_arena::slab_of(const std::byte* memory) const noexcept {
    const std::size_t number = segment_of(memory);
    if (slab_bytes_ == 0 || number == no_segment) return slabs_.size();
    const auto distance = static_cast<std::size_t>(memory - segments_[number].base);
    const std::size_t in = distance / slab_bytes_;
    return in < slabs_in_segment_ ? number * slabs_in_segment_ + in : slabs_.size();
}

std::size_t buffer_arena::part_of(const std::byte* memory) const noexcept {
    const std::size_t slab = slab_of(memory);
    if (slab < slabs_.size() && slabs_[slab].buffer_bytes != 0) return first_slab + slab;
    return segment_of(memory);
}

bool buffer_arena::makes_room(const std::byte* memory, std::size_t wanted) const noexcept {
    const std::size_t part = part_of(memory);
    if (wanted != 0 && from_slabs(buffer_bytes(wanted))) {
        const part_state state = state_of(part);
        return state.used == 1 || state.buffer_bytes == slab_bytes_;
    }
    const bool alone = part < first_slab || state_of(part).used == 1;
    return alone && state_of(segment_of(memory)).used == 1;
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
    statistics_.divided_bytes -= s.bytes;
    add_free(s);
    drop_excess(s);
}

bool buffer_arena::holds() const noexcept {
    return segments_.size() * segment_bytes_ > most_bytes_checked || fault() == nullptr;
}

}  // namespace leat::io
