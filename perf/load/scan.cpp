// The workload "scan": a cold file from its beginning to its end.
#include "load/scan.hpp"

#include "common/figure.hpp"
#include "common/fio.hpp"
#include "load/cold_chunks.hpp"
#include "load/cold_engine.hpp"

#include <leat/cache/slice_stream.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace leat::perf {

namespace {

constexpr unsigned in_flight = 4;
constexpr std::uint64_t memory_chunks = 26;

struct scan_result {
    std::uint64_t bytes = 0;
    double seconds = 0;
    double cpu_seconds = 0;
};

// Reads [begin, begin + length) in slices of at most `slice_size` bytes.
task<scan_result> scan_range(chunk_manager& manager,
                             file from,
                             std::uint64_t begin,
                             std::uint64_t length,
                             std::uint32_t slice_size) {
    scan_result result;
    const slices_options options{.depth = in_flight - 1, .slice_size = slice_size};
    const double cpu = process_cpu_seconds();
    const auto start = clock::now();
    slice_stream stream = manager.slices(from, begin, length, options);
    for (;;) {
        const slice piece = co_await stream.next();
        if (!piece) break;
        keep(first_word(piece.data()));
        result.bytes += piece.size();
    }
    result.seconds = seconds_between(start, clock::now());
    result.cpu_seconds = process_cpu_seconds() - cpu;
    co_return result;
}

/// Gives each contestant the next range of the file, as many chunks as a measurement takes.
class ranges {
public:
    ranges(std::uint64_t file_bytes, std::uint64_t chunk_size)
        : file_bytes_(file_bytes), chunk_size_(chunk_size) {}
    void learn(double bytes_per_second) noexcept { rate_ = bytes_per_second; }
    [[nodiscard]] std::uint64_t length(double seconds) const noexcept {
        const auto chunks =
            static_cast<std::uint64_t>(rate_ * seconds / static_cast<double>(chunk_size_));
        const std::uint64_t most = file_bytes_ / chunk_size_;
        return std::clamp(chunks, std::min<std::uint64_t>(16, most), most) * chunk_size_;
    }
    /// The beginning of `length` bytes that were not the last ones.
    std::uint64_t take(std::uint64_t length) noexcept {
        if (at_ + length > file_bytes_) at_ = 0;
        const std::uint64_t begin = at_;
        at_ += length;
        return begin;
    }

private:
    std::uint64_t file_bytes_;
    std::uint64_t chunk_size_;
    std::uint64_t at_ = 0;
    double rate_ = 1e9;
};

raw_ring::next_offset chunks_from(std::uint64_t begin, std::uint64_t length, std::uint64_t chunk) {
    return [at = begin, end = begin + length, chunk](std::uint64_t& offset) mutable {
        offset = at;
        at += chunk;
        return offset < end;
    };
}

double us_per_chunk(double cpu_seconds, std::uint64_t bytes, std::uint64_t chunk) {
    return cpu_seconds * 1e6 / (static_cast<double>(bytes) / static_cast<double>(chunk));
}

void measure_fio(bench& with, std::uint64_t chunk) {
    fio_job job;
    job.block = chunk;
    job.depth = in_flight;
    job.seconds = std::max(0.5, with.seconds());
    job.cpu = with.first_cpu();
    std::string why;
    const auto found = run_fio(with.target(), job, why);
    if (found) {
        with.report().add("fio.gbps", found->gbps);
    } else {
        with.report().note(why);
    }
}

void run_scan(bench& with) {
    cold_engine cold{with, memory_chunks * with.options().engine.chunk_size};
    const std::uint64_t chunk = cold.chunk_size();
    raw_rival raw{with, in_flight, chunk, cold};
    ranges next{cold.usable_bytes(), chunk};
    report& into = with.report();
    const auto scan = [&](std::uint32_t slice_size) {
        const std::uint64_t length = next.length(2 * with.seconds());
        const scan_result found = cold.engine().run(
            scan_range(cold.manager(), cold.file(), next.take(length), length, slice_size));
        cold.settle();
        return found;
    };
    std::vector<contestant> all{
        {"raw",
         [&] {
             const std::uint64_t length = next.length(2 * with.seconds());
             const std::uint64_t begin = next.take(length);
             const read_run found = raw.run(chunks_from(begin, length, chunk));
             const std::uint64_t bytes = found.reads * chunk;
             into.add("raw.gbps", gbps(static_cast<double>(bytes), found.seconds));
             into.add("raw.cpu_us_per_chunk", us_per_chunk(found.cpu_seconds, bytes, chunk));
             next.learn(static_cast<double>(bytes) / found.seconds);
         }},
        {"scan",
         [&] {
             const scan_result found = scan(0);
             into.add("scan.gbps", gbps(static_cast<double>(found.bytes), found.seconds));
             into.add("scan.cpu_us_per_chunk", us_per_chunk(found.cpu_seconds, found.bytes, chunk));
         }},
        {"scan.4k",
         [&] {
             const scan_result found = scan(page_bytes);
             into.add("scan.4k_gbps", gbps(static_cast<double>(found.bytes), found.seconds));
         }},
    };
    if (with.options().rival("fio")) all.push_back({"fio", [&] { measure_fio(with, chunk); }});
    with.alternate("scan", all);
    into.compare("scan/raw", "scan.gbps", "raw.gbps");
    into.compare("scan/fio", "scan.gbps", "fio.gbps");
    into.compare("scan.cpu/raw.cpu", "scan.cpu_us_per_chunk", "raw.cpu_us_per_chunk");
    cold.verify();
}

constexpr std::array definitions{
    figure_definition{"scan.gbps",
                      "a cold file in whole chunks, four in flight: how fast leat streams"},
    figure_definition{"scan.4k_gbps",
                      "a cold file from end to end, handed over in slices of 4 KiB: whether small "
                      "slices hold up a stream"},
    figure_definition{
        "raw.gbps", "a raw ring that reads the same chunks, four in flight: what the device gives"},
    figure_definition{"fio.gbps",
                      "fio with blocks of a chunk, four in flight, O_DIRECT and registered "
                      "buffers: what a well-known tool gets of the device"},
    figure_definition{"{scan,raw}.cpu_us_per_chunk",
                      "CPU time for a chunk, the kernel's workers included: what streaming leaves "
                      "to the rest of a program"},
    figure_definition{"scan/raw",
                      "leat's rate over the raw ring's: 1 if the cache costs a stream nothing",
                      false, preference::more},
    figure_definition{"scan/fio", "leat's rate over fio's: 1 if the device is used as well", false,
                      preference::more},
    figure_definition{"scan.cpu/raw.cpu",
                      "leat's CPU time for a chunk over the raw ring's: 1 if the cache adds "
                      "nothing to what the kernel needs",
                      false, preference::less},
};

}  // namespace

constexpr workload scan_workload{"scan", "a cold file from end to end; and a raw ring's and fio's",
                                 definitions, &run_scan};

}  // namespace leat::perf
