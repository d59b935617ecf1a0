// The workload "loaded": small cold requests beside a scan.
#include "load/loaded.hpp"

#include "common/figure.hpp"
#include "load/cold_chunks.hpp"
#include "load/cold_engine.hpp"

#include <leat/cache/slice_stream.hpp>

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace leat::perf {

namespace {

constexpr std::uint64_t memory_chunks = 48;
constexpr unsigned chunks_ahead = 3;
// What the cache reads at a time while requests compete for the device, and so the ring, too.
constexpr std::uint64_t piece = 512 * KiB;

/// So many bytes of fills are in flight while requests wait.
struct window {
    const char* name;
    std::uint64_t bytes;
};
constexpr std::array windows{window{"512k", 512 * KiB}, window{"1m", MiB}, window{"2m", 2 * MiB}};

struct loaded_result {
    histogram first_byte;
    double gbps = 0;
};

// Chunks one after the other, around and around.
task<> scan_on(chunk_manager& manager, file from, std::uint64_t bytes, const bool& ending) {
    while (!ending) {
        slice_stream stream = manager.slices(from, 0, bytes, {.depth = chunks_ahead});
        while (!ending) {
            const slice whole = co_await stream.next();
            if (!whole) break;
        }
    }
}

// One page at a time that is not in the cache.
task<> demand_pages(
    chunk_manager& manager, file from, cold_chunks& order, clock::time_point end, histogram& ns) {
    while (clock::now() < end) {
        const chunk_config page{from, order.random_page(), page_bytes};
        if (manager.peek(page)) continue;
        const auto begin = clock::now();
        const slice first = co_await manager.get_chunk(page);
        keep(first_word(first.data()));
        ns.add(ns_between(begin, clock::now()));
    }
}

task<loaded_result> behind_fills(
    chunk_manager& manager, file from, cold_chunks& order, std::uint64_t bytes, double seconds) {
    loaded_result result;
    bool ending = false;
    scope all;
    all.spawn(scan_on(manager, from, bytes, ending));
    co_await sleep(std::chrono::milliseconds{20});  // until the device is busy
    const cache_statistics before = co_await manager.statistics();
    const auto begin = clock::now();
    co_await demand_pages(manager, from, order, later(begin, duration_of(seconds)),
                          result.first_byte);
    const cache_statistics after = co_await manager.statistics();
    result.gbps = gbps(static_cast<double>(after.bytes_read - before.bytes_read),
                       seconds_between(begin, clock::now()));
    ending = true;
    co_await all.join();
    co_return result;
}

loaded_result raw_behind_blocks(raw_rival& ring,
                                cold_chunks& order,
                                std::uint64_t file_bytes,
                                double seconds) {
    loaded_result result;
    raw_demands demands;
    demands.next = [&order,
                    end = later(clock::now(), duration_of(seconds))](std::uint64_t& offset) {
        offset = order.random_page();
        return clock::now() < end;
    };
    demands.latencies = &result.first_byte;
    const auto next = [at = std::uint64_t{0}, file_bytes](std::uint64_t& offset) mutable {
        offset = at % file_bytes;
        at += piece;
        return true;
    };
    const read_run found = ring.run(next, nullptr, &demands);
    const std::uint64_t bytes = found.reads * piece + demands.reads * page_bytes;
    result.gbps = gbps(static_cast<double>(bytes), found.seconds);
    return result;
}

file open_on(engine& on, chunk_manager& manager, const std::string& path) {
    return on.run(manager.open(path));
}

void run_loaded(bench& with) {
    cold_engine cold{with, memory_chunks * with.options().engine.chunk_size};
    cold_chunks order{cold.usable_bytes(), cold.chunk_size(), 7};
    cold_chunks raw_order{cold.usable_bytes(), cold.chunk_size(), 8};
    report& into = with.report();
    std::vector<std::unique_ptr<chunk_manager>> managers;
    std::vector<std::unique_ptr<raw_rival>> rings;
    std::vector<contestant> all;
    const auto note = [&into](const std::string& name, const loaded_result& found) {
        into.add_latencies(name + ".first_byte", found.first_byte);
        into.add(name + ".gbps", found.gbps);
    };
    for (const window& at : windows) {
        managers.push_back(std::make_unique<chunk_manager>(
            cold.engine(), file_source{}, manager_options{.competing_fill_bytes = at.bytes}));
        chunk_manager& manager = *managers.back();
        const file from = open_on(cold.engine(), manager, with.target().path);
        const auto depth = static_cast<unsigned>(at.bytes / piece);
        rings.push_back(rings.empty()
                            ? std::make_unique<raw_rival>(with, depth, piece, cold)
                            : std::make_unique<raw_rival>(with, depth, piece, *rings.front()));
        raw_rival& ring = *rings.back();
        const std::string name = std::string{"loaded."} + at.name;
        const std::string raw_name = std::string{"loaded_raw."} + at.name;
        all.push_back({name, [&, from, name] {
                           const loaded_result found = cold.engine().run(behind_fills(
                               manager, from, order, cold.usable_bytes(), 2 * with.seconds()));
                           cold.settle();
                           note(name, found);
                       }});
        all.push_back({raw_name, [&, raw_name] {
                           note(raw_name, raw_behind_blocks(ring, raw_order, cold.usable_bytes(),
                                                            with.seconds()));
                       }});
    }
    with.alternate("loaded", all);
    for (const window& at : windows) {
        const std::string size = at.name;
        into.compare("loaded." + size + ".first_byte/raw", "loaded." + size + ".first_byte.p50_us",
                     "loaded_raw." + size + ".first_byte.p50_us");
        into.compare("loaded." + size + ".rate/raw", "loaded." + size + ".gbps",
                     "loaded_raw." + size + ".gbps");
    }
    cold.verify();
}

constexpr std::array definitions{
    figure_definition{"{loaded,loaded_raw}.{512k,1m,2m}.first_byte.{p50,p99}_us",
                      "one cold page at a time while a scan has so many bytes in flight, by leat "
                      "and by a raw ring: how long a small request waits behind large ones"},
    figure_definition{"{loaded,loaded_raw}.{512k,1m,2m}.gbps",
                      "all that is read while cold pages are asked for beside such a scan: what is "
                      "left of the device's rate when small requests go first"},
    figure_definition{"loaded.{512k,1m,2m}.first_byte/raw",
                      "leat's median wait over the raw ring's with as many bytes in flight: 1 if a "
                      "request waits for the device only",
                      false, preference::less},
    figure_definition{"loaded.{512k,1m,2m}.rate/raw",
                      "leat's rate over the raw ring's with as many bytes in flight: 1 if short "
                      "waits are not bought with throughput",
                      false, preference::more},
};

}  // namespace

constexpr workload loaded_workload{
    "loaded", "cold 4 KiB behind fills; and a raw ring with as many bytes in flight", definitions,
    &run_loaded};

}  // namespace leat::perf
