// What a cache has done and holds.
#pragma once

#include <leat/engine/error.hpp>

#include <chrono>
#include <cstdint>

namespace leat {

/// Sums over all shards and managers of an engine; the first half never decreases.
struct cache_statistics {
    std::uint64_t hits = 0;          ///< served without waiting
    std::uint64_t misses = 0;        ///< had to wait
    std::uint64_t fills = 0;         ///< chunks that were given a buffer
    std::uint64_t reads = 0;         ///< reads asked of sources
    std::uint64_t demand_reads = 0;  ///< of them, small ones that somebody waited for
    std::uint64_t bytes_read = 0;    ///< bytes that they gave
    std::uint64_t evictions = 0;     ///< chunks whose buffer went to another
    std::uint64_t failed_reads = 0;
    std::uint64_t buffer_waits = 0;  ///< requests that found no buffer free
    std::uint64_t bypasses = 0;      ///< pieces that read() got past the cache
    std::uint64_t grants = 0;        ///< leases granted
    std::uint64_t revokes = 0;       ///< leases asked back

    std::uint64_t chunks = 0;          ///< in the cache now
    std::uint64_t short_chunks = 0;    ///< of them, shorter than their buffer
    std::uint64_t filling_chunks = 0;  ///< of them, with reads in flight
    std::uint64_t leases = 0;          ///< held now
    std::uint64_t waiting = 0;         ///< requests that wait now
    std::uint64_t pins = 0;            ///< live slices
    /// Bytes of the buffers that slices keep, each counted once however many shards serve it.
    std::uint64_t pinned_bytes = 0;
    std::uint64_t referred_bytes = 0;  ///< bytes that those slices span
    std::uint64_t sending_bytes = 0;   ///< of chunks that sends without a copy keep
    /// How long some shard has pinned one chunk without a pause: no live slice is older.
    std::chrono::nanoseconds oldest_pin{0};
    where oldest_pinned;  ///< that chunk: its file, offset and size

    /// Calls visit(name, counter, ...) for each counter of however many statistics, in order. What
    /// adds, prints or exports them goes through here, so that none is forgotten.
    template <class Visit, class... All>
    static void each(Visit visit, All&... all) {
        visit("hits", all.hits...);
        visit("misses", all.misses...);
        visit("fills", all.fills...);
        visit("reads", all.reads...);
        visit("demand_reads", all.demand_reads...);
        visit("bytes_read", all.bytes_read...);
        visit("evictions", all.evictions...);
        visit("failed_reads", all.failed_reads...);
        visit("buffer_waits", all.buffer_waits...);
        visit("bypasses", all.bypasses...);
        visit("grants", all.grants...);
        visit("revokes", all.revokes...);
        visit("chunks", all.chunks...);
        visit("short_chunks", all.short_chunks...);
        visit("filling_chunks", all.filling_chunks...);
        visit("leases", all.leases...);
        visit("waiting", all.waiting...);
        visit("pins", all.pins...);
        visit("pinned_bytes", all.pinned_bytes...);
        visit("referred_bytes", all.referred_bytes...);
        visit("sending_bytes", all.sending_bytes...);
    }
};

}  // namespace leat
