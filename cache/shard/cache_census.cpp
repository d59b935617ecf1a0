// Counts chunks, pins and leases on each shard, and puts them together.
#include "cache_census.hpp"

#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

namespace leat::detail {

cache_census shard_cache::census() {
    take_foreign();
    cache_census mine;
    mine.counts = parts_->counts;
    mine.counts.hits = shard_.hits();
    ghost_curve& curve = parts_->uses.curve();
    const std::uint64_t fills = mine.counts.fills;
    mine.counts.fills_at_half = curve.loads_at(ghost_curve::half, fills);
    mine.counts.fills_at_double = curve.loads_at(ghost_curve::twice, fills);
    mine.counts.fills_at_quadruple = curve.loads_at(ghost_curve::four_times, fills);
    mine.counts.memory_bytes = parts_->memory.bytes();
    mine.counts.cached_bytes = shard_.arena()->statistics().used_bytes;
    mine.counts.entry_bytes = parts_->memory.besides();
    mine.counts.chunks = parts_->chunks.count();
    mine.counts.streams = parts_->runs.streams();
    mine.counts.leases = parts_->held_leases.count();
    mine.counts.waiting = parts_->home_requests.waiting();
    const auto add_pins = [&](const auto& one) {
        if (one.pins != 0) mine.add_pinned(one, one.bytes, stamp());
    };
    parts_->chunks.each([&](const chunk& one) {
        mine.counts.fragments += one.piece.is_chunk() ? 0 : 1;
        mine.counts.short_chunks += one.length < one.bytes ? 1 : 0;
        mine.counts.filling_chunks += one.reads() != 0 ? 1 : 0;
        mine.counts.filling_bytes += one.reads() != 0 ? one.bytes : 0;
        mine.counts.ahead_bytes += one.ahead && !one.ever_used() ? one.bytes : 0;
        add_pins(one);
    });
    parts_->held_leases.each(add_pins);
    return mine;
}

}  // namespace leat::detail
