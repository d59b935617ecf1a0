// The workload "miss": cold requests on an idle device.
#include "load/miss.hpp"

#include "common/figure.hpp"
#include "load/cold_chunks.hpp"
#include "load/cold_engine.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace leat::perf {

namespace {

constexpr unsigned at_once = 32;
constexpr std::uint64_t memory_chunks = 48;
// So little that of a page in each fragment most are gone before the fragment comes again: a second
// miss in one that is there brings all of it.
constexpr std::uint64_t memory_chunks_at_once = 4;

/// What a run of cold requests has found.
struct cold_result {
    histogram first_byte;
    histogram whole_chunk;
    std::uint64_t requests = 0;
    double seconds = 0;
    std::uint64_t bytes_read = 0;
};

// One request of 4 KiB at a time; the device is idle again before the next.
task<cold_result> one_at_a_time(chunk_manager& manager,
                                file from,
                                cold_chunks& order,
                                double seconds) {
    cold_result result;
    const auto size = static_cast<std::uint32_t>(manager.chunk_size());
    const auto end = later(clock::now(), duration_of(seconds));
    while (clock::now() < end) {
        const std::uint64_t offset = order.next_page();
        const chunk_config page{from, offset, page_bytes};
        const chunk_config all{from, offset / size * size, size};
        // Other contestants may have left this chunk behind.
        if (manager.peek(page)) continue;
        const auto begin = clock::now();
        const slice first = co_await manager.get_chunk(page);
        keep(first_word(first.data()));
        const auto landed = clock::now();
        const slice whole = co_await manager.get_chunk(all);
        result.whole_chunk.add(ns_between(begin, clock::now()));
        result.first_byte.add(ns_between(begin, landed));
        keep(first_word(whole.data()));
    }
    co_return result;
}

// Requests of 4 KiB, each of a page that is not in the cache.
task<> cold_requests(chunk_manager& manager,
                     file from,
                     cold_chunks& order,
                     clock::time_point end,
                     cold_result& result) {
    while (clock::now() < end) {
        const chunk_config page{from, order.next_page(), page_bytes};
        if (manager.peek(page)) continue;
        const auto begin = clock::now();
        const slice first = co_await manager.get_chunk(page);
        keep(first_word(first.data()));
        result.first_byte.add(ns_between(begin, clock::now()));
        ++result.requests;
    }
}

task<cold_result> many_at_once(chunk_manager& manager,
                               file from,
                               cold_chunks& order,
                               double seconds) {
    cold_result result;
    const cache_statistics before = co_await manager.statistics();
    const auto begin = clock::now();
    const auto end = later(begin, duration_of(seconds));
    scope all;
    for (unsigned i = 0; i < at_once; ++i)
        all.spawn(cold_requests(manager, from, order, end, result));
    co_await all.join();
    result.seconds = seconds_between(begin, clock::now());
    const cache_statistics after = co_await manager.statistics();
    result.bytes_read = after.bytes_read - before.bytes_read;
    co_return result;
}

raw_ring::next_offset cold_pages(cold_chunks& order, double seconds) {
    return [&order, end = later(clock::now(), duration_of(seconds))](std::uint64_t& offset) {
        offset = order.next_page();
        return clock::now() < end;
    };
}

raw_ring::next_offset once(std::uint64_t at) {
    return [at, given = false](std::uint64_t& offset) mutable {
        offset = at;
        return !std::exchange(given, true);
    };
}

// What leat does one at a time: a page, then a chunk. A device that has just read a chunk, and the
// CPU that waited for it, take longer over the next page than over one in a row of pages.
void raw_one_at_a_time(raw_ring& page,
                       raw_ring& whole,
                       cold_chunks& order,
                       double seconds,
                       histogram& page_ns,
                       histogram& chunk_ns) {
    const auto end = later(clock::now(), duration_of(seconds));
    while (clock::now() < end) {
        page.run(once(order.random_page()), &page_ns);
        whole.run(once(order.next_chunk()), &chunk_ns);
    }
}

void compare(report& into) {
    into.compare("miss.first_byte/raw4k", "miss.first_byte.p50_us", "raw4k.p50_us");
    into.compare("miss.chunk/raw_chunk", "miss.chunk.p50_us", "raw_chunk.p50_us");
    into.compare("miss.depth32/raw4k.depth32", "miss.depth32.iops", "raw4k.depth32.iops");
}

void run_miss(bench& with) {
    cold_engine cold{with, memory_chunks * with.options().engine.chunk_size};
    chunk_manager& manager = cold.manager();
    const std::uint64_t chunk = cold.chunk_size();
    cold_chunks order{cold.usable_bytes(), chunk, 7};
    cold_chunks raw_order{cold.usable_bytes(), chunk, 8};
    // A page of each fragment in turn.
    cold_engine crowded{with, memory_chunks_at_once * chunk};
    cold_chunks fragments{cold.usable_bytes(), detail::fragment_size, 9};
    cold_chunks raw_fragments{cold.usable_bytes(), detail::fragment_size, 10};
    raw_rival page{with, 1, page_bytes, cold};
    raw_rival pages{with, at_once, page_bytes, crowded};
    raw_rival whole{with, 1, chunk, page};
    report& into = with.report();

    const std::vector<contestant> all{
        {"miss.first_byte",
         [&] {
             const cold_result found =
                 cold.engine().run(one_at_a_time(manager, cold.file(), order, 2 * with.seconds()));
             cold.settle();
             into.add_latencies("miss.first_byte", found.first_byte);
             into.add_latencies("miss.chunk", found.whole_chunk);
         }},
        {"raw4k",
         [&] {
             histogram page_ns;
             histogram chunk_ns;
             const auto job = [&] {
                 raw_one_at_a_time(page.ring(), whole.ring(), raw_order, 2 * with.seconds(),
                                   page_ns, chunk_ns);
             };
             page.on_thread(job);
             into.add_latencies("raw4k", page_ns);
             into.add_latencies("raw_chunk", chunk_ns);
         }},
        {"miss.depth32",
         [&] {
             const cold_result found = crowded.engine().run(
                 many_at_once(crowded.manager(), crowded.file(), fragments, with.seconds()));
             crowded.settle();
             const auto count = static_cast<double>(found.requests);
             into.add("miss.depth32.iops", count / found.seconds);
             into.add("miss.read_amplification",
                      static_cast<double>(found.bytes_read) / (count * page_bytes));
         }},
        {"raw4k.depth32",
         [&] {
             const read_run found = pages.run(cold_pages(raw_fragments, with.seconds()));
             into.add("raw4k.depth32.iops", static_cast<double>(found.reads) / found.seconds);
         }},
    };
    with.alternate("miss", all);
    compare(into);
    cold.verify();
    crowded.verify();
}

constexpr std::array definitions{
    figure_definition{"miss.first_byte.{p50,p99}_us",
                      "from a request for 4 KiB that are not in memory to its bytes, idle device: "
                      "what a reader waits for"},
    figure_definition{"miss.chunk.{p50,p99}_us",
                      "from a cold request for 4 KiB to its whole chunk, which is asked for right "
                      "behind it: whether the small one holds up the large one"},
    figure_definition{"{raw4k,raw_chunk}.{p50,p99}_us",
                      "a raw ring that reads 4 KiB, then a chunk, one at a time, as leat does: the "
                      "least that the device takes"},
    figure_definition{"{miss,raw4k}.depth32.iops",
                      "cold requests of 4 KiB a second, 32 at once, by leat and by a raw ring: "
                      "random misses are as many as the device can serve"},
    figure_definition{"miss.read_amplification",
                      "bytes read over bytes asked for, 32 at once: 1 if nothing is read that "
                      "nobody wants; a miss "
                      "that follows another by chance has the rest of its fragment",
                      false, preference::less},
    figure_definition{
        "miss.first_byte/raw4k",
        "leat's median wait for 4 KiB over the raw ring's: 1 if the cache costs a reader nothing",
        false, preference::less},
    figure_definition{"miss.chunk/raw_chunk",
                      "leat's median wait for the chunk over the raw ring's: 1 if the page before "
                      "it costs nothing",
                      false, preference::less},
    figure_definition{"miss.depth32/raw4k.depth32",
                      "leat's rate of misses over the raw ring's: 1 if the device is used as well",
                      false, preference::more},
};

}  // namespace

constexpr workload miss_workload{
    "miss", "cold 4 KiB: one at a time, and 32 at once; and a raw ring's", definitions, &run_miss};

}  // namespace leat::perf
