// What is always true of a chunk between two messages.
#include "chunk.hpp"

#include <leat/cache/detail/shared_cache.hpp>

#include <bit>

namespace leat::detail {

namespace {

struct unit_counts {
    std::uint64_t landed = 0;
    std::uint64_t asked = 0;
    bool landed_unasked = false;
};

unit_counts count_units(const chunk& of) noexcept {
    unit_counts found;
    for (std::uint64_t word = 0; word < of.words; ++word) {
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
    if (counted.landed != of.landed_units) return "landed units are counted wrongly";
    if (counted.asked != of.asked_units) return "units asked for are counted wrongly";
    if (counted.landed_unasked) return "a unit has landed that nobody has asked for";
    if (of.asked_units > of.units) return "more units are asked for than the file has here";
    if ((of.ready_length != 0) != (of.landed_units == of.units))
        return "a chunk is ready before it is complete, or not when it is";
    if (of.ready_length != 0 && of.ready_length != (of.marked ? of.length / 2 : of.length))
        return "a complete chunk is ready up to another length than its own";
    if (of.asked_units != of.landed_units && of.reads == 0 && !of.doomed)
        return "units are on their way by no read";
    return nullptr;
}

const char* fault_of_waiters(const chunk& of) noexcept {
    unsigned unread = 0;
    unsigned aheads = 0;
    for (const chunk_request& waiter : of.waiters) {
        if (waiter.at != &of || waiter.waits != chunk_request::place::units)
            return "a request waits at a chunk and does not know it";
        if (!of.covers(waiter)) return "a request waits for what is not to come";
        if (of.has_landed(waiter)) return "a request waits for what has landed";
        unread += waiter.unread ? 1 : 0;
        aheads += waiter.asked_ahead ? 1 : 0;
    }
    if (unread != of.unread) return "requests with unread units are counted wrongly";
    if (aheads != of.aheads) return "requests ahead are counted wrongly";
    return nullptr;
}

}  // namespace

chunk::chunk(std::uint64_t words_) : unit_bits(words_) {
    presence = landed_words();
    all_landed = &everything_landed;
}

std::uint64_t chunk::file_offset() const noexcept {
    return piece.index() * file->manager->chunk_size + start;
}

const char* chunk::fault() const noexcept {
    if (leased) return "a chunk counts as leased at its owner";
    if (file == nullptr || data() == nullptr) return "a chunk in use has no file or no buffer";
    if (demands > reads) return "more reads are demanded than there are";
    if (doomed && (in_policy || rank != fill_rank::none || !waiters.empty()))
        return "a doomed chunk is still in a queue";
    for (const lease::owner_part& held : holders) {
        if (held.chunk != this) return "a chunk is held by a lease that does not know it";
    }
    if (const char* const wrong = fault_of_units(*this)) return wrong;
    return fault_of_waiters(*this);
}

}  // namespace leat::detail
