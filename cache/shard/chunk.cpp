// What is always true of a chunk between two messages.
#include "chunk.hpp"

#include <leat/cache/detail/shared_cache.hpp>

#include <bit>
#include <cassert>
#include <utility>

namespace leat::detail {

namespace {

struct unit_counts {
    std::uint64_t landed = 0;
    std::uint64_t asked = 0;
    bool landed_unasked = false;
};

unit_counts count_units(const chunk& of) noexcept {
    unit_counts found;
    for (std::uint64_t word = 0; word < of.words(); ++word) {
        const std::uint64_t landed = of.landed_words()[word].load(std::memory_order_relaxed);
        const std::uint64_t asked = of.asked_word(word);
        found.landed += static_cast<unsigned>(std::popcount(landed));
        found.asked += static_cast<unsigned>(std::popcount(asked));
        found.landed_unasked = found.landed_unasked || (landed & ~asked) != 0;
    }
    return found;
}

const char* fault_of_units(const chunk& of) noexcept {
    const unit_counts counted = count_units(of);
    if (counted.landed != of.landed_units()) return "landed units are counted wrongly";
    if (counted.asked != of.asked_units()) return "units asked for are counted wrongly";
    if (counted.landed_unasked) return "a unit has landed that nobody has asked for";
    if (of.asked_units() > of.units()) return "more units are asked for than the file has here";
    if ((of.ready_length != 0) != (of.landed_units() == of.units()))
        return "a chunk is ready before it is complete, or not when it is";
    if (of.ready_length != 0 && of.ready_length != (of.marked ? of.length / 2 : of.length))
        return "a complete chunk is ready up to another length than its own";
    if (of.asked_units() != of.landed_units() && of.reads() == 0 && !of.doomed)
        return "units are on their way by no read";
    return nullptr;
}

const char* fault_of_fill(const chunk& of) noexcept {
    const fill_state& fill = *of.fill;
    if (fill.of != &of) return "a chunk has the fill of another";
    if (fill.demands > fill.reads) return "more reads are demanded than there are";
    unsigned unread = 0;
    unsigned aheads = 0;
    for (const chunk_request& waiter : fill.waiters) {
        if (waiter.at != &of || waiter.waits != chunk_request::place::units)
            return "a request waits at a chunk and does not know it";
        if (!of.covers(waiter)) return "a request waits for what is not to come";
        if (of.has_landed(waiter)) return "a request waits for what has landed";
        unread += waiter.unread ? 1 : 0;
        aheads += waiter.asked_ahead ? 1 : 0;
    }
    if (unread != fill.unread) return "requests with unread units are counted wrongly";
    if (aheads != fill.aheads) return "requests ahead are counted wrongly";
    return nullptr;
}

}  // namespace

chunk::chunk(std::uint32_t length_) : bits((length_ + 64 * unit_size - 1) / (64 * unit_size)) {
    length = length_;
    presence = landed_words();
}

chunk::chunk(chunk&& moved) noexcept
    : entry(moved),
      resident(moved),
      doomed(moved.doomed),
      replaced(moved.replaced),
      superseded(moved.superseded),
      waits_for_reader(moved.waits_for_reader),
      is_held(moved.is_held),
      ahead(moved.ahead),
      served(moved.served),
      asked_by(moved.asked_by),
      bits(moved.bits, moved.words()),
      holders(std::move(moved.holders)) {
    assert(moved.fill == nullptr);
}

std::uint64_t chunk::file_offset() const noexcept {
    return piece.index() * file->manager->chunk_size + start;
}

const char* chunk::fault() const noexcept {
    if (leased) return "a chunk counts as leased at its owner";
    if (file == nullptr || data() == nullptr) return "a chunk in use has no file or no buffer";
    if (doomed && (in_policy || rank() != fill_rank::none || has_waiters()))
        return "a doomed chunk is still in a queue";
    for (const lease::owner_part& held : holders) {
        if (held.chunk != this) return "a chunk is held by a lease that does not know it";
    }
    if (const char* const wrong = fault_of_units(*this)) return wrong;
    return fill != nullptr ? fault_of_fill(*this) : nullptr;
}

}  // namespace leat::detail
