// The workload "crowd": many sequential readers.
#include "load/crowd.hpp"

#include "common/figure.hpp"
#include "load/cold_chunks.hpp"
#include "load/cold_engine.hpp"

#include <leat/cache/slice_stream.hpp>

#include <array>
#include <deque>
#include <vector>

namespace leat::perf {

namespace {

constexpr std::uint64_t memory_chunks = 51;
constexpr unsigned readers = 32;
constexpr unsigned raw_depth = 4;
constexpr std::uint32_t slice_bytes = 64 * KiB;

/// A part of the file, and how far its reader is: who takes it next goes on from there.
struct part {
    std::uint64_t begin = 0;
    std::uint64_t length = 0;
    std::uint64_t at = 0;
};
/// Those that nobody reads, the one that was read longest ago first. Who came back to his own would
/// find it in memory once the cache has learnt that, and have nothing to do with the device.
using idle_parts = std::deque<part>;

struct crowd_result {
    std::uint64_t bytes = 0;
    double seconds = 0;
    std::uint64_t source_bytes = 0;
    std::uint64_t source_reads = 0;
};

task<> read_on(chunk_manager& manager,
               file from,
               idle_parts& parts,
               clock::time_point end,
               std::uint64_t& bytes) {
    while (clock::now() < end) {
        part mine = parts.front();
        parts.pop_front();
        slice_stream stream = manager.slices(from, mine.begin + mine.at, mine.length - mine.at,
                                             {.slice_size = slice_bytes});
        while (clock::now() < end) {
            const slice piece = co_await stream.next();
            if (!piece) break;
            keep(first_word(piece.data()));
            bytes += piece.size();
            mine.at += piece.size();
        }
        const bool through = mine.at >= mine.length;
        if (through) {
            mine.at = 0;
            parts.push_back(mine);
        } else {
            parts.push_front(mine);
        }
    }
}

task<crowd_result> all_at_once(chunk_manager& manager,
                               file from,
                               idle_parts& parts,
                               double seconds) {
    crowd_result result;
    const cache_statistics before = co_await manager.statistics();
    const auto begin = clock::now();
    scope all;
    for (unsigned i = 0; i < readers; ++i)
        all.spawn(read_on(manager, from, parts, later(begin, duration_of(seconds)), result.bytes));
    co_await all.join();
    result.seconds = seconds_between(begin, clock::now());
    const cache_statistics after = co_await manager.statistics();
    result.source_bytes = after.bytes_read - before.bytes_read;
    result.source_reads = after.reads - before.reads;
    co_return result;
}

idle_parts parts_of(std::uint64_t file_bytes) {
    constexpr unsigned count = 2 * readers;
    const std::uint64_t length = file_bytes / count / slice_bytes * slice_bytes;
    idle_parts parts;
    for (unsigned i = 0; i < count; ++i) parts.push_back({i * length, length, 0});
    return parts;
}

void run_crowd(bench& with) {
    cold_engine cold{with, memory_chunks * with.options().engine.chunk_size};
    const std::uint64_t chunk = cold.chunk_size();
    idle_parts parts = parts_of(cold.usable_bytes());
    cold_chunks order{cold.usable_bytes(), chunk, 9};
    raw_rival raw{with, raw_depth, chunk, cold};
    report& into = with.report();
    const std::vector<contestant> all{
        {"crowd",
         [&] {
             const crowd_result found = cold.engine().run(
                 all_at_once(cold.manager(), cold.file(), parts, 2 * with.seconds()));
             cold.settle();
             into.add("crowd.gbps", gbps(static_cast<double>(found.bytes), found.seconds));
             into.add("crowd.read_mib", static_cast<double>(found.source_bytes) / MiB /
                                            static_cast<double>(found.source_reads));
             into.add("crowd.read_amplification",
                      static_cast<double>(found.source_bytes) / static_cast<double>(found.bytes));
         }},
        {"crowd.raw",
         [&] {
             const auto end = later(clock::now(), duration_of(with.seconds()));
             const read_run found = raw.run([&](std::uint64_t& offset) {
                 offset = order.next_chunk();
                 return clock::now() < end;
             });
             into.add("crowd.raw_gbps",
                      gbps(static_cast<double>(found.reads * chunk), found.seconds));
         }},
    };
    with.alternate("crowd", all);
    into.compare("crowd/raw", "crowd.gbps", "crowd.raw_gbps");
    cold.verify();
}

constexpr std::array definitions{
    figure_definition{"crowd.gbps",
                      "32 readers at once, each through its own part of a cold file in slices of "
                      "64 KiB, together: whether many streams get what the device gives"},
    figure_definition{"crowd.read_mib",
                      "MiB that a read of the file brings while 32 readers are served, on the "
                      "average: devices are fast at large reads",
                      false, preference::more},
    figure_definition{
        "crowd.read_amplification",
        "bytes read over bytes handed to 32 readers: 1 if nothing is read twice or in vain", false,
        preference::less},
    figure_definition{
        "crowd.raw_gbps",
        "a raw ring that reads whole chunks in shuffled order, four in flight: the device's rate"},
    figure_definition{
        "crowd/raw",
        "the readers' rate over the raw ring's: 1 if a crowd is served as fast as one stream",
        false, preference::more},
};

}  // namespace

constexpr workload crowd_workload{"crowd",
                                  "32 cold sequential readers of 64 KiB; and the device's rate",
                                  definitions, &run_crowd};

}  // namespace leat::perf
