// The workload "memory": what the cache needs besides the buffers.
#include "load/memory.hpp"

#include "common/clocks.hpp"
#include "common/resident_memory.hpp"
#include "common/sink.hpp"

#include <leat/leat.hpp>

#include <spdlog/fmt/fmt.h>

#include <malloc.h>

#include <algorithm>
#include <array>
#include <deque>
#include <numeric>
#include <vector>

namespace leat::perf {

namespace {

constexpr std::uint64_t full_budget = 4 * GiB;
constexpr std::uint32_t fragment_bytes = 64 * KiB;

// By requests of one fragment each, none of which goes on where another ended: pieces that small
// are most of what the cache has besides its buffers.
task<> read_scattered(chunk_manager& manager, std::string path, std::uint64_t bytes) {
    file from = co_await manager.open(path);
    const std::uint64_t count = bytes / fragment_bytes;
    std::uint64_t step = count / 2 + 1;
    while (std::gcd(step, count) != 1) ++step;
    for (std::uint64_t n = 0; n < count; ++n) {
        const chunk_config one{from, n * step % count * fragment_bytes, fragment_bytes};
        const slice piece = co_await manager.get_chunk(one);
        keep(first_word(piece.data()));
    }
}

task<> first_slice(chunk_manager& manager, std::string path) {
    file from = co_await manager.open(path);
    const chunk_config first{from, 0, page_bytes};
    const slice held = co_await manager.get_chunk(first);
    keep(first_word(held.data()));
}

task<std::uint64_t> buffer_bytes(engine& of) {
    std::uint64_t sum = 0;
    for (unsigned shard = 0; shard < of.shards(); ++shard) {
        co_await resume_on(shard);
        sum += this_shard().statistics().arena.used_bytes;
    }
    co_return sum;
}

task<cache_statistics> statistics_of(chunk_manager& manager) {
    const cache_statistics now = co_await manager.statistics();
    co_return now;
}

// Files smaller than the budget fill it through several managers: each has chunks of its own.
void measure_overhead(bench& with, std::uint64_t budget) {
    ::malloc_trim(0);
    const std::uint64_t before = resident_bytes();
    engine shards{with.engine_with(0, budget)};
    std::deque<chunk_manager> managers;
    for (std::uint64_t filled = 0; filled < budget; filled += with.target().size) {
        with.progress(
            fmt::format("memory: {} of {} filled", format_size(filled), format_size(budget)));
        chunk_manager& manager = managers.emplace_back(shards, file_source{});
        shards.run(read_scattered(manager, with.target().path, with.target().size));
    }
    const std::uint64_t buffers = shards.run(buffer_bytes(shards));
    const std::uint64_t chunks = shards.run(statistics_of(managers.front())).chunks;
    const auto besides =
        static_cast<double>(resident_bytes() - before) - static_cast<double>(buffers);
    with.report().add("memory.overhead_ratio", besides / static_cast<double>(buffers));
    with.report().add("memory.bytes_per_chunk", besides / static_cast<double>(chunks));
}

void measure_start(bench& with, std::uint64_t budget) {
    const auto begin = clock::now();
    engine shards{with.engine_with(0, budget)};
    chunk_manager manager{shards, file_source{}};
    shards.run(first_slice(manager, with.target().path));
    with.report().add("memory.start_ms", seconds_between(begin, clock::now()) * 1e3);
}

void run_memory(bench& with) {
    const std::uint64_t given = with.options().engine.memory;
    std::uint64_t budget = given != 0 ? given : full_budget;
    if (available_memory() < budget + budget / 4) {
        const std::uint64_t chunk = with.options().engine.chunk_size;
        budget = available_memory() / 2 / chunk * chunk;
        with.report().note(
            fmt::format("memory: a budget of {} for want of more", format_size(budget)));
    }
    const std::vector<contestant> all{{"start", [&] { measure_start(with, budget); }}};
    with.alternate("memory", all);
    measure_overhead(with, budget);
    with.progress("");
}

constexpr std::array definitions{
    figure_definition{"memory.overhead_ratio",
                      "resident bytes besides the buffers over the buffers, full of pieces of 64 "
                      "KiB: how much of the memory is not for data",
                      false, preference::less},
    figure_definition{
        "memory.start_ms",
        "from making the engine to the first 4 KiB: how soon a program that starts can serve"},
    figure_definition{"memory.bytes_per_chunk",
                      "resident bytes besides the buffers for each piece in the cache: what a "
                      "small piece costs besides its bytes",
                      false, preference::less},
};

}  // namespace

constexpr workload memory_workload{
    "memory", "what a full cache needs besides its buffers, 4 GiB unless --memory says",
    definitions, &run_memory};

}  // namespace leat::perf
