// Evicts for what is no buffer, and where the memory gets smaller.
#include "eviction.hpp"
#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>

#include <algorithm>

namespace leat::detail {

namespace {
// For vain_searches: those that make the memory smaller, which want no buffer, for entries and for
// what is remembered. At a turn's end they do more, and are not put off for those in its middle.
constexpr std::uint64_t for_memory = 0;
constexpr std::uint64_t to_remember = 1;
constexpr std::uint64_t for_page = 2;
constexpr std::uint64_t to_shrink = 3;
// What is remembered is worth so much less than what is there: it is searched for as much less.
constexpr std::uint64_t worth_less = 8;
// By what is remembered of what is gone may be more until it is counted again.
constexpr std::uint64_t more_to_remember = 4 * KiB;
// After a look for a segment to empty that has found none, so many headers come of evictions.
constexpr unsigned looks_to_spare = 64;
// Before entries are moved together, whose pages that may give back.
constexpr unsigned evictions_a_page = 64;
}  // namespace

bool eviction::free_segment() noexcept {
    io::buffer_arena& arena = *cache_.home().arena();
    const std::uint64_t before = arena.statistics().divided_bytes;
    segment_emptying emptying{arena, last_look_};
    wanted_bytes_ = arena.segment_bytes();
    larger_bytes_ = 0;
    for_ahead_ = false;
    must_ = true;
    emptying_ = &emptying;
    bool evicts = true;
    while (evicts && arena.statistics().divided_bytes >= before) {
        evicts = evict_some();
        if (evicts) static_cast<void>(emptying.finish());
    }
    emptying_ = nullptr;
    return evicts;
}

bool eviction::count_remembered() noexcept {
    ghost_curve& ghosts = uses_.curve();
    eviction_policy& policy = chunks_.policy();
    const std::uint64_t of_policy = policy.remembered_bytes();
    const std::uint64_t now = of_policy + ghosts.remembered_bytes();
    const std::uint64_t wanted = of_policy + more_to_remember + ghosts.wanted_bytes();
    const std::uint64_t all = memory_.remember(now, wanted);
    // The policy's is worth more than estimates.
    const std::uint64_t more = std::min(all - now, more_to_remember);
    policy.remember_at_most(of_policy + more);
    ghosts.remember_at_most(all - of_policy - more);
    return all >= wanted || !memory_.may_have(wanted - all);
}

void eviction::keep_to_memory() noexcept {
    const auto kept = [this] { return count_remembered() && !memory_.exceeded(); };
    if (kept()) return;
    const bool must = memory_.exceeded();
    const std::uint64_t kind = must ? for_memory : to_remember;
    if (vain_.spare(kind, cache_.home())) return;
    cache_.take_foreign();  // a victim may be pinned only by what is gone
    const std::uint64_t before = looks();
    const std::uint64_t rooms = chunks_.rooms();
    while (!kept()) {
        if (free_segment()) continue;
        return vain_.failed(kind, (looks() - before) * (must ? 1 : worth_less), cache_.home(),
                            rooms);
    }
}

bool eviction::make_memory(std::uint64_t bytes) noexcept {
    if (!memory_.may_have(bytes) || spares(for_memory)) return false;
    cache_.take_foreign();
    const std::uint64_t before = looks();
    const std::uint64_t rooms = chunks_.rooms();
    if (free_segment()) return true;
    vain_.failed(for_memory, looks() - before, cache_.home(), rooms);
    return false;
}

bool eviction::make_page() noexcept {
    if (spares(for_page)) return false;
    cache_.take_foreign();
    const std::uint64_t before = looks();
    const std::uint64_t rooms = chunks_.rooms();
    // What comes back would be no record's while buffers have more than is theirs.
    if (!memory_.exceeded()) {
        const std::uint64_t had = memory_.besides();
        chunks_.compact();
        if (memory_.besides() < had || chunks_.clear_page() || forget_estimates()) return true;
    }
    vain_.failed(for_page, looks() - before + chunks_.count(), cache_.home(), rooms);
    return false;
}

bool eviction::forget_estimates() noexcept {
    if (uses_.curve().remembered_bytes() < entry_pages::page_bytes) return false;
    uses_.set_memory(memory_.for_buffers());
    uses_.curve().remember_at_most(0);
    static_cast<void>(memory_.remember(chunks_.policy().remembered_bytes(), 0));
    return true;
}

void eviction::shrink() noexcept {
    if (claims_) claim();
    if (spares(to_shrink)) return;
    const std::uint64_t rooms = chunks_.rooms();
    static_cast<void>(count_remembered());
    if (!memory_.exceeded()) return;
    cache_.take_foreign();
    const std::uint64_t before = looks();
    do {
        chunks_.compact();
    } while (memory_.exceeded() && free_segment());
    // What is on its way back makes room.
    if (!memory_.exceeded() || coming_ != 0) return;
    drain();
    if (memory_.exceeded())
        vain_.failed(to_shrink, looks() - before + chunks_.count(), cache_.home(), rooms);
}

// Where something is pinned or read in each segment at any time, and others take the places of what
// has gone, no segment would ever be free while requests go on.
void eviction::drain() noexcept {
    io::buffer_arena& arena = *cache_.home().arena();
    arena.close_excess();
    arena.each_closed([&](std::size_t segment) {
        arena.each_user(segment, [&](void* user) {
            auto& one = *static_cast<chunk*>(user);
            ++judged_;
            granted_.revoke(one);
            if (!one.doomed && !one.pinned() && !one.under_way()) fills_.unqueue(one);
            // Who uses it again and again would keep it for ever: he gets another.
            if (!one.doomed && one.superseded && one.pins != 0 && !one.under_way()) {
                one.replaced = true;
                fills_.unqueue(one);
                chunks_.doom(one);
            }
            one.superseded = true;
            one.attention = true;  // otherwise it goes with the last of what keeps it
            if (one.doomed || !one.idle()) return;
            ++counts_.evictions;
            chunks_.discard(one);
        });
    });
}

// Pages of entries come back when they are moved together. What is remembered goes before them.
void eviction::claim() noexcept {
    claims_ = false;
    cache_.take_foreign();
    uses_.set_memory(memory_.due());
    chunks_.policy().remember_at_most(0);
    uses_.curve().remember_at_most(0);
    const std::uint64_t remembered =
        chunks_.policy().remembered_bytes() + uses_.curve().remembered_bytes();
    static_cast<void>(memory_.remember(remembered, 0));
    segment_emptying emptying{*cache_.home().arena(), last_look_};
    wanted_bytes_ = 0;
    for_ahead_ = false;
    emptying_ = &emptying;
    bool evicts = true;
    while (evicts && memory_.besides() > memory_.due()) {
        for (unsigned n = 0; evicts && n < evictions_a_page; ++n) evicts = evict_some();
        chunks_.compact();
    }
    emptying_ = nullptr;
    memory_.claim();
    uses_.set_memory(memory_.for_buffers());
    static_cast<void>(count_remembered());
    chunks_.note_room();
}

bool eviction::reserve_fill() noexcept {
    out_of_memory_ = false;
    while (!chunks_.reserve_fill()) {
        if (!make_memory(entry_pages::page_bytes)) return false;
    }
    return true;
}

bool eviction::find_header(std::uint64_t unit_bits) noexcept {
    if (!reserve_fill()) return false;
    while (unit_bits != 0 && !memory_.take(unit_bits)) {
        if (make_memory(unit_bits)) continue;
        if (memory_.may_have(unit_bits)) return false;
        // Where entries of small pieces have more than is theirs already, it takes the places of
        // some, whose entries are longer than its bits.
        memory_.take_anyway(unit_bits);
        break;
    }
    if (find_place()) return true;
    memory_.give_back(unit_bits);
    return false;
}

bool eviction::find_place() noexcept {
    if (chunks_.reserve()) return true;
    const io::arena_statistics held = cache_.home().arena()->statistics();
    // Where smaller pieces take the places of larger ones, what they leave is memory for headers.
    const bool vacant =
        held.divided_bytes - held.used_bytes >= cache_.home().arena()->segment_bytes();
    if (vacant && looks_spared_ == 0) {
        if (free_segment() && chunks_.reserve()) return true;
        looks_spared_ = looks_to_spare;
    } else if (vacant) {
        --looks_spared_;
    }
    if (chunks_.reserve()) return true;
    cache_.take_foreign();
    segment_emptying emptying{*cache_.home().arena(), last_look_};
    wanted_bytes_ = 0;
    emptying_ = &emptying;
    const bool evicted = evict_some();
    emptying_ = nullptr;
    out_of_memory_ = !evicted && chunks_.count() == 0;
    return evicted && chunks_.reserve();
}

}  // namespace leat::detail
