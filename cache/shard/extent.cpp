// Rounds what is asked for to what is kept.
#include "extent.hpp"

#include "chunk.hpp"

#include <leat/cache/detail/shared_cache.hpp>

#include <algorithm>
#include <bit>

namespace leat::detail {

namespace {

constexpr std::uint64_t large_share = 16;
constexpr std::uint64_t large_least = MiB;

// The smallest aligned power of two of bytes, at least `grain`, that has [first, last].
extent aligned_around(std::uint64_t first, std::uint64_t last, std::uint64_t grain) noexcept {
    const std::uint64_t size = std::max<std::uint64_t>(grain, std::bit_ceil((first ^ last) + 1));
    return {{}, first & ~(size - 1), size};
}

bool crosses(const chunk_request& wanted) noexcept {
    return (wanted.in + wanted.size - 1) >> fragment_shift != wanted.in >> fragment_shift;
}

std::uint64_t grain_of(const chunk_request& wanted) noexcept {
    return std::min(wanted.file->manager->grain, fragment_size);
}

// Whether it goes on where the piece ends, or begins in it and has more.
bool comes_from(const chunk_request& wanted, const chunk& known) noexcept {
    const std::uint64_t end = std::uint64_t{known.start} + known.length;
    return !crosses(wanted) && wanted.in >= known.start && wanted.in <= end &&
           wanted.in + wanted.size > end;
}

// What it asks for, and what its reader comes to, as far as a buffer for that holds no more than it
// needs; but at least as much again: nothing else shows how far he comes.
extent as_far_as_he_comes(const chunk_request& wanted, std::uint64_t grain) noexcept {
    const std::uint64_t start = wanted.in & ~(grain - 1);
    const std::uint64_t least = ((wanted.in + wanted.size - 1) | (grain - 1)) + 1 - start;
    const std::uint64_t twice = least + (((wanted.size - 1) | (grain - 1)) + 1);
    return {{}, start, std::max(std::bit_floor(least + wanted.reach), twice)};
}

// Found by its first fragment, and no longer than the file.
extent in_chunk(extent made, const chunk_request& wanted) noexcept {
    made.piece = piece_number::fragment({wanted.index, wanted.in});
    made.length = std::min(made.length, chunk_length(wanted) - made.start);
    return made;
}

}  // namespace

std::uint64_t chunk_length(const chunk_request& wanted) noexcept {
    const std::uint64_t chunk_size = wanted.file->manager->chunk_size;
    return std::min(chunk_size, wanted.file->size - wanted.index * chunk_size);
}

extent whole_chunk(const chunk_request& wanted) noexcept {
    return {piece_number::chunk(wanted.index), 0, chunk_length(wanted)};
}

bool needs_whole_chunk(const chunk_request& wanted) noexcept {
    const manager_core& manager = *wanted.file->manager;
    return manager.grain >= manager.chunk_size || wanted.size == chunk_length(wanted) ||
           wanted.size > std::max(manager.chunk_size / large_share, large_least);
}

std::uint64_t most_fragments_crossed(const chunk_request& wanted) noexcept {
    const std::uint64_t chunk_size = wanted.file->manager->chunk_size;
    const std::uint64_t most =
        std::min(chunk_size, std::max(chunk_size / large_share, large_least));
    return most / fragment_size + 1;
}

bool wants_whole_chunk(const chunk_request& wanted) noexcept {
    return needs_whole_chunk(wanted) ||
           (wanted.in == 0 && wanted.window >= wanted.file->manager->chunk_size);
}

extent least_for(const chunk_request& wanted) noexcept {
    const std::uint64_t grain = grain_of(wanted);
    const std::uint64_t last = wanted.in + wanted.size - 1;
    extent made;
    if (crosses(wanted)) {
        made.start = wanted.in & ~(grain - 1);
        made.length = ((last | (grain - 1)) + 1) - made.start;
    } else {
        made = aligned_around(wanted.in, last, grain);
    }
    return in_chunk(made, wanted);
}

void set_reader(extent& made, const chunk_request& wanted) noexcept {
    const std::uint64_t begin = made.piece.index() * wanted.file->manager->chunk_size;
    const std::uint64_t at =
        wanted.index * wanted.file->manager->chunk_size + wanted.in + wanted.size;
    if (wanted.asked_ahead || wanted.quick || wanted.home != wanted.owner ||
        begin + made.end() <= at)
        return;
    made.to_come = static_cast<std::uint32_t>(begin + made.end() - at);
    const std::uint64_t units = (wanted.size + unit_size - 1) >> unit_shift;
    made.step = static_cast<std::uint8_t>(std::min<std::uint64_t>(units, 255));
}

extent fragment_for(const chunk_request& wanted, const chunk* known, bool whole) noexcept {
    extent made = least_for(wanted);
    const std::uint64_t grain = grain_of(wanted);
    const std::uint64_t fragment_end = (wanted.in | (fragment_size - 1)) + 1;
    const std::uint64_t asked_end = wanted.in + wanted.size;
    const bool stands_alone = wanted.window <= wanted.size;
    const bool inside = !crosses(wanted);
    const bool goes_on = known != nullptr && comes_from(wanted, *known);
    bool in_order = inside && (known == nullptr ? !stands_alone : goes_on);
    if (wanted.reach < fragment_size && inside && (in_order || whole) &&
        wanted.in + wanted.window <= fragment_end) {
        in_order = true;
        made = as_far_as_he_comes(wanted, grain);
        made.length = std::min(made.length, fragment_end - made.start);
        known = nullptr;
    } else if (goes_on && stands_alone) {
        // Who comes back so late that his run is forgotten may be slow: what he does not come to
        // before it has gone would be read for nothing.
        const std::uint64_t twice = std::uint64_t{known->start} + 2 * std::uint64_t{known->length};
        const std::uint64_t last = std::max(asked_end, std::min(twice, fragment_end)) - 1;
        made = aligned_around(known->start, last, grain);
    } else if (inside && (known != nullptr || whole || !stands_alone)) {
        // Who says that he goes through the file has come through what lies before.
        const bool walks = wanted.walks || wanted.given == hint::stream;
        const bool rest = known == nullptr && !whole && walks;
        made.start = wanted.in & ~((rest ? grain : fragment_size) - 1);
        made.length = fragment_end - made.start;
    }
    if (known != nullptr) {
        const std::uint64_t end =
            std::max<std::uint64_t>(made.end(), std::uint64_t{known->start} + known->length);
        made.start = std::min<std::uint64_t>(made.start, known->start);
        made.length = end - made.start;
    }
    made = in_chunk(made, wanted);
    if (in_order) set_reader(made, wanted);
    return made;
}

}  // namespace leat::detail
