// Counts chunks, pins and leases on each shard, and puts them together.
#include "cache_census.hpp"

#include "cache_storage.hpp"

#include <leat/cache/detail/shard_cache.hpp>

namespace leat::detail {

cache_census shard_cache::census() {
    take_foreign();
    cache_census mine;
    mine.counts = counts_;
    mine.counts.hits = shard_.hits();
    mine.counts.chunks = own_->live_chunks;
    mine.counts.leases = own_->live_leases;
    mine.counts.waiting = own_->waiting;
    const auto add_pins = [&](const entry& one) {
        if (one.file != nullptr && one.pins != 0)
            mine.add_pinned(one, one.file->manager->chunk_size, stamp());
    };
    for (const chunk& one : own_->chunks) {
        if (one.file == nullptr) continue;
        mine.counts.short_chunks += one.length < one.buffer_size ? 1 : 0;
        mine.counts.filling_chunks += one.reads != 0 ? 1 : 0;
        add_pins(one);
    }
    for (const lease& one : own_->leases) add_pins(one);
    return mine;
}

}  // namespace leat::detail
