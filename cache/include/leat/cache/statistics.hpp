// What a cache has done and holds.
#pragma once

#include <leat/engine/error.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace leat {

/// How much memory an engine might have, of what it has.
enum class memory_factor : std::uint8_t { half, same, twice, four_times };

/// Sums over all shards and managers of an engine; the first half never decreases.
///
///     const leat::cache_statistics before = co_await manager.statistics();
///     co_await leat::sleep(std::chrono::minutes{10});
///     const leat::cache_statistics lately = (co_await manager.statistics()).since(before);
///     if (lately.hit_ratio(leat::memory_factor::twice) > lately.hit_ratio() + 0.1) buy_memory();
struct cache_statistics {
    std::uint64_t hits = 0;          ///< served without waiting
    std::uint64_t misses = 0;        ///< had to wait
    std::uint64_t fills = 0;         ///< chunks and fragments that were given a buffer
    std::uint64_t reads = 0;         ///< reads asked of sources
    std::uint64_t demand_reads = 0;  ///< of them, small ones and windows that somebody waited for
    std::uint64_t bytes_read = 0;    ///< bytes that they gave
    std::uint64_t evictions = 0;     ///< chunks and fragments whose buffer went to another
    std::uint64_t failed_reads = 0;
    std::uint64_t buffer_waits = 0;  ///< requests that found no buffer free
    std::uint64_t turn_waits = 0;    ///< that found manager_options::reads_at_once in flight
    std::uint64_t bypasses = 0;      ///< pieces that read() got past the cache
    std::uint64_t grants = 0;        ///< leases granted
    std::uint64_t revokes = 0;       ///< leases asked back
    /// Bytes of buffers that were read ahead and are gone, by whether they had been used by then.
    std::uint64_t ahead_used_bytes = 0;
    std::uint64_t ahead_unused_bytes = 0;

    std::uint64_t fill_waits = 0;  ///< requests that waited for bytes of a chunk to be read
    /// What `fills` would be with half the memory, twice, or four times, and the same policy:
    /// estimated while the cache runs, by the loads and visits of a sample of the chunks.
    std::uint64_t fills_at_half = 0;
    std::uint64_t fills_at_double = 0;
    std::uint64_t fills_at_quadruple = 0;

    /// Bytes that the cache may use now: engine::memory(). What follows is together no more, but
    /// while pins and reads keep it from getting as small as it was told to be.
    std::uint64_t memory_bytes = 0;
    std::uint64_t cached_bytes = 0;   ///< of buffers of chunks and fragments, those below included
    std::uint64_t filling_bytes = 0;  ///< of buffers with reads in flight
    std::uint64_t ahead_bytes = 0;    ///< of buffers that were read ahead and not used yet
    std::uint64_t entry_bytes = 0;   ///< of what stands for chunks and leases, and for what is gone
    std::uint64_t chunks = 0;        ///< in the cache now, chunks and fragments
    std::uint64_t fragments = 0;     ///< of them, fragments
    std::uint64_t short_chunks = 0;  ///< of them, shorter than their buffer
    std::uint64_t filling_chunks = 0;  ///< of them, with reads in flight
    std::uint64_t streams = 0;         ///< readers who go through a file in order
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

    /// Of all requests, how many were served without waiting, or would have been with other memory:
    /// from 0 to 1, and 0 where there were none. A fill that is spared is taken to spare as many
    /// requests the wait as fills did on average, and a further one to keep one request waiting:
    /// an engine whose device is busy, where many wait for each fill, differs from that. Otherwise
    /// within 0.02 of the truth for the default policy and for LRU on public traces, where the miss
    /// ratio does not fall from a cliff just there, as that of a loop does that just fits.
    [[nodiscard]] double hit_ratio(memory_factor with = memory_factor::same) const noexcept {
        const auto requests = static_cast<double>(hits + misses);
        if (requests == 0) return 0;
        const double more = static_cast<double>(fills_at(with)) - static_cast<double>(fills);
        double waits =
            fills == 0 ? 1 : static_cast<double>(fill_waits) / static_cast<double>(fills);
        if (more > 0) waits = std::min(waits, 1.0);
        return std::clamp(1 - (static_cast<double>(misses) + more * waits) / requests, 0.0, 1.0);
    }
    /// What has been done since `earlier`, which came of the same engine, and what it holds now.
    [[nodiscard]] cache_statistics since(const cache_statistics& earlier) const noexcept {
        cache_statistics result = *this;
        bool done = true;  // the first half; what is held follows
        each(
            [&](const char*, std::uint64_t& count, const std::uint64_t& before) {
                done = done && &count != &result.memory_bytes;
                if (done) count -= before;
            },
            result, earlier);
        return result;
    }
    /// `fills` with that memory.
    [[nodiscard]] std::uint64_t fills_at(memory_factor with) const noexcept {
        switch (with) {
            case memory_factor::half:
                return fills_at_half;
            case memory_factor::same:
                break;
            case memory_factor::twice:
                return fills_at_double;
            case memory_factor::four_times:
                return fills_at_quadruple;
        }
        return fills;
    }

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
        visit("turn_waits", all.turn_waits...);
        visit("bypasses", all.bypasses...);
        visit("grants", all.grants...);
        visit("revokes", all.revokes...);
        visit("ahead_used_bytes", all.ahead_used_bytes...);
        visit("ahead_unused_bytes", all.ahead_unused_bytes...);
        visit("fill_waits", all.fill_waits...);
        visit("fills_at_half", all.fills_at_half...);
        visit("fills_at_double", all.fills_at_double...);
        visit("fills_at_quadruple", all.fills_at_quadruple...);
        visit("memory_bytes", all.memory_bytes...);
        visit("cached_bytes", all.cached_bytes...);
        visit("filling_bytes", all.filling_bytes...);
        visit("ahead_bytes", all.ahead_bytes...);
        visit("entry_bytes", all.entry_bytes...);
        visit("chunks", all.chunks...);
        visit("fragments", all.fragments...);
        visit("short_chunks", all.short_chunks...);
        visit("filling_chunks", all.filling_chunks...);
        visit("streams", all.streams...);
        visit("leases", all.leases...);
        visit("waiting", all.waiting...);
        visit("pins", all.pins...);
        visit("pinned_bytes", all.pinned_bytes...);
        visit("referred_bytes", all.referred_bytes...);
        visit("sending_bytes", all.sending_bytes...);
    }
};

}  // namespace leat
