// The workload "fanin": very many coroutines wait for one chunk.
#include "load/fanin.hpp"

#include "load/cold_chunks.hpp"
#include "load/cold_engine.hpp"

#include <leat/engine/resume_on.hpp>

#include <array>
#include <vector>

namespace leat::perf {

namespace {

constexpr unsigned waiters = 10'000;
constexpr std::uint64_t memory_chunks = 32;

/// When one shard's waiters were resumed.
struct alignas(64) resumed {
    unsigned count = 0;
    clock::time_point first;
    clock::time_point last;
};

task<> wait_for(const chunk_manager& manager, chunk_config chunk, unsigned all, resumed& seen) {
    const slice held = co_await manager.get_chunk(chunk);
    keep(first_word(held.data()));
    if (seen.count == 0) seen.first = clock::now();
    if (++seen.count == all) seen.last = clock::now();
}

task<> wait_many(const chunk_manager& manager, chunk_config chunk, unsigned all, resumed& seen) {
    scope waiting;
    for (unsigned i = 0; i < all; ++i) waiting.spawn(wait_for(manager, chunk, all, seen));
    co_await waiting.join();
}

// The next chunk that its owner does not have.
task<chunk_config> absent_chunk(const chunk_manager& manager, file_id file, cold_chunks& order) {
    const auto size = static_cast<std::uint32_t>(manager.chunk_size());
    for (;;) {
        const chunk_config chunk{file, order.next_chunk(), size};
        const chunk_config page{file, chunk.offset, page_bytes};
        co_await resume_on(manager.owner(chunk));
        if (!manager.peek(page)) co_return chunk;
    }
}

task<cache_statistics> statistics_of(chunk_manager& manager) {
    const cache_statistics now = co_await manager.statistics();
    co_return now;
}

void measure(bench& with, cold_engine& cold, cold_chunks& order) {
    const chunk_config chunk = cold.engine().run(absent_chunk(cold.manager(), cold.file(), order));
    const unsigned shards = cold.engine().shards();
    std::vector<resumed> seen(shards);
    const cache_statistics before = cold.engine().run(statistics_of(cold.manager()));
    std::vector<spawned<void>> running;
    for (unsigned shard = 0; shard < shards; ++shard) {
        running.push_back(cold.engine().spawn_on(
            shard, wait_many(cold.manager(), chunk, waiters / shards, seen[shard])));
    }
    for (spawned<void>& one : running) one.get();
    const cache_statistics after = cold.engine().run(statistics_of(cold.manager()));
    double busy_ns = 0;
    for (const resumed& one : seen) busy_ns += static_cast<double>(ns_between(one.first, one.last));
    const auto bytes = static_cast<double>(after.bytes_read - before.bytes_read);
    with.report().add("fanin.fills", static_cast<double>(after.fills - before.fills));
    with.report().add("fanin.bytes_read_ratio", bytes / chunk.size);
    with.report().add("fanin.ns_per_waiter", busy_ns / (waiters / shards * shards));
}

void run_fanin(bench& with) {
    cold_engine cold{with, memory_chunks * with.options().engine.chunk_size, 0};
    cold_chunks order{cold.usable_bytes(), cold.chunk_size(), 5};
    const std::vector<contestant> all{{"fanin", [&] { measure(with, cold, order); }}};
    with.alternate("fanin", all);
    cold.verify();
}

constexpr std::array definitions{
    figure_definition{
        "fanin.fills",
        "how often a chunk is filled that 10,000 coroutines wait for: once, however many wait",
        true, preference::less},
    figure_definition{"fanin.bytes_read_ratio",
                      "bytes read for 10,000 coroutines that wait for one chunk, over the chunk's: "
                      "1 if no byte is read twice",
                      true, preference::less},
    figure_definition{"fanin.ns_per_waiter",
                      "of 10,000 that wait for one chunk, from the first resumed to the last, for "
                      "each, summed over shards: how soon a crowd goes on"},
};

}  // namespace

constexpr workload fanin_workload{"fanin", "10,000 coroutines that wait for one absent chunk",
                                  definitions, &run_fanin};

}  // namespace leat::perf
