// Formats what --stats prints, as text and as JSON.
#include "report.hpp"

#include <leat/engine/options.hpp>

#include <boost/json/serialize.hpp>
#include <spdlog/fmt/fmt.h>

namespace leat::cat {

namespace {

double seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

double rate(const report& of) {
    return of.duration.count() > 0 ? static_cast<double>(of.bytes) / seconds(of.duration) : 0;
}

std::string pages(const io::arena_statistics& arena) {
    return fmt::format("{} of reserved huge pages, {} of transparent ones, {} of 4 KiB pages",
                       arena.hugetlb_segments, arena.transparent_segments, arena.plain_segments);
}

}  // namespace

std::string report::text() const {
    const cache_statistics& cache = engine.cache;
    std::string all;
    const auto line = [&all](const char* name, const std::string& value) {
        all += fmt::format("{:<9}{}\n", name, value);
    };
    line("written",
         fmt::format("{} ({} bytes) in {:.3f} s, {}/s", format_size(bytes), bytes,
                     seconds(duration), format_size(static_cast<std::uint64_t>(rate(*this)))));
    line("engine", fmt::format("{} shard{}, {} of memory, chunks of {}", engine.shards,
                               engine.shards == 1 ? "" : "s", format_size(engine.memory),
                               format_size(engine.chunk_size)));
    line("backend", fmt::format("{} ({}), {} system calls", engine.backend.name,
                                engine.backend.mode, engine.backend.enters));
    line("reads",
         fmt::format("{}, {} of them small and urgent, {} failed; {}", cache.reads,
                     cache.demand_reads, cache.failed_reads, format_size(cache.bytes_read)));
    line("chunks",
         fmt::format("{} filled, {} evicted; {} hits, {} misses, {} waits for a buffer",
                     cache.fills, cache.evictions, cache.hits, cache.misses, cache.buffer_waits));
    line("memory",
         fmt::format("hits {:.3f}; with half the memory {:.3f}, twice {:.3f}, four times {:.3f}",
                     cache.hit_ratio(), cache.hit_ratio(memory_factor::half),
                     cache.hit_ratio(memory_factor::twice),
                     cache.hit_ratio(memory_factor::four_times)));
    line("buffers", fmt::format("{} mapped, {} registered; segments: {}",
                                format_size(engine.arena.mapped_bytes),
                                format_size(engine.arena.registered_bytes), pages(engine.arena)));
    line("shards", fmt::format("{} turns, {} parks, {} messages, {} leases", engine.loop.turns,
                               engine.loop.parks, engine.loop.messages_sent, cache.grants));
    if (recorded) line("recorded", apps::text_of(*recorded));
    return all;
}

std::string report::json() const {
    boost::json::object all{
        {"bytes", bytes}, {"seconds", seconds(duration)}, {"bytes_per_second", rate(*this)}};
    for (const auto& member : apps::to_json(engine)) all.insert(member);
    if (recorded) all["recorded"] = apps::json_of(*recorded);
    return boost::json::serialize(all) + '\n';
}

}  // namespace leat::cat
