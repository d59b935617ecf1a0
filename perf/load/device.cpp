// The workload "device": what the disk gives to a raw ring.
#include "load/device.hpp"

#include "common/figure.hpp"
#include "common/fio.hpp"
#include "common/pages.hpp"
#include "common/pinned_thread.hpp"
#include "common/raw_ring.hpp"

#include <leat/engine/options.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace leat::perf {

namespace {

// A point with more in flight than this says nothing new and costs memory.
constexpr std::uint64_t most_in_flight = 256 * MiB;

/// What is read, and how.
struct point {
    std::uint64_t block = 4096;
    unsigned depth = 1;
    bool random = true;
    bool fixed = true;
    bool huge = true;
    unsigned threads = 1;
    bool as_fio = false;  ///< sleeps and submits as fio does, not as leat
};

/// What all threads together reached.
struct point_result {
    double iops = 0;
    double gbps = 0;
    double cpu_us = 0;  ///< of the whole process, a read
    histogram ns;
};

std::string short_size(std::uint64_t bytes) {
    return bytes >= MiB ? fmt::format("{}m", bytes / MiB) : fmt::format("{}k", bytes / KiB);
}

// Each thread begins elsewhere.
raw_ring::next_offset offsets(const bench& with, const point& at, double seconds, unsigned thread) {
    const std::uint64_t blocks = with.target().size / at.block;
    const auto end = later(clock::now(), duration_of(seconds));
    random_words random{thread + 1};
    std::uint64_t next = blocks / at.threads * thread;
    return [=](std::uint64_t& offset) mutable {
        offset = (at.random ? random.below(blocks) : next++ % blocks) * at.block;
        return clock::now() < end;
    };
}

point_result measure(const bench& with, const point& at, double seconds) {
    const std::vector<unsigned> cpus = allowed_cpus();
    raw_ring_options options{
        .depth = at.depth, .block = at.block, .memory = {}, .fixed = at.fixed, .huge = at.huge};
    options.submit_each = at.as_fio;
    if (at.as_fio) options.spin = {};
    std::vector<read_run> runs(at.threads);
    std::vector<histogram> latencies(at.threads);
    const auto run = [&](unsigned thread) {
        pinned_thread where{cpus[thread % cpus.size()]};
        where.run([&] {
            raw_ring ring{with.target(), options};
            runs[thread] = ring.run(offsets(with, at, seconds, thread), &latencies[thread]);
        });
    };
    std::vector<std::thread> others;
    for (unsigned thread = 1; thread < at.threads; ++thread) others.emplace_back(run, thread);
    run(0);
    for (std::thread& other : others) other.join();
    point_result result;
    std::uint64_t reads = 0;
    for (unsigned thread = 0; thread < at.threads; ++thread) {
        const auto count = static_cast<double>(runs[thread].reads);
        result.iops += count / runs[thread].seconds;
        result.gbps += gbps(count * static_cast<double>(at.block), runs[thread].seconds);
        reads += runs[thread].reads;
        result.ns.add(latencies[thread]);
    }
    // Each thread has seen the whole process.
    result.cpu_us = runs[0].cpu_seconds * 1e6 / static_cast<double>(reads);
    return result;
}

/// Throughput and latency over depth, one line a block size.
void add_depths(bench& with, std::vector<contestant>& all) {
    for (const std::uint64_t block : {4 * KiB, 64 * KiB, 512 * KiB, 2 * MiB, 10 * MiB}) {
        for (const unsigned depth : {1U, 2U, 4U, 8U, 16U, 32U, 64U}) {
            if (block * depth > most_in_flight) continue;
            const point at{block, depth, block < MiB, true, true, 1};
            const std::string name = fmt::format("device.{}.d{}", short_size(block), depth);
            all.push_back({name, [&with, at, name] {
                               const point_result found = measure(with, at, with.seconds());
                               with.report().add(name + ".gbps", found.gbps);
                               with.report().add(name + ".iops", found.iops);
                               with.report().add(name + ".p50_us", to_us(found.ns.percentile(50)));
                           }});
        }
    }
}

/// CPU for a chunk, by the kind of buffer.
void add_buffers(bench& with, std::vector<contestant>& all) {
    for (const bool huge : {false, true}) {
        for (const bool fixed : {false, true}) {
            const std::uint64_t chunk = with.options().engine.chunk_size;
            const point at{chunk, 4, false, fixed, huge, 1};
            const std::string name =
                fmt::format("device.{}{}.cpu_us_per_chunk", huge ? "huge_pages" : "small_pages",
                            fixed ? "_registered" : "");
            all.push_back({name, [&with, at, name] {
                               with.report().add(name, measure(with, at, with.seconds()).cpu_us);
                           }});
        }
    }
}

/// fio's points: its buffers are of small pages, it sleeps until something has come, and submits
/// one by one.
constexpr std::array<point, 3> fio_points{{
    {4 * KiB, 1, true, true, false, 1, true},
    {4 * KiB, 32, true, true, false, 1, true},
    {16 * KiB, 8, true, true, false, 1, true},
}};

// Long enough that fio's beginning and end weigh little.
double fio_seconds(const bench& with) {
    return std::max(0.4, with.seconds());
}

void add_fio(bench& with, std::vector<contestant>& all) {
    for (const point& at : fio_points) {
        const std::string where = fmt::format("{}_d{}", short_size(at.block), at.depth);
        all.push_back({"device." + where, [&with, at, where] {
                           with.report().add("device." + where + ".iops",
                                             measure(with, at, fio_seconds(with)).iops);
                       }});
        all.push_back({"fio." + where, [&with, at, where] {
                           const fio_job job{at.random, at.block,          at.depth,
                                             at.fixed,  fio_seconds(with), with.first_cpu()};
                           std::string why;
                           const auto found = run_fio(with.target(), job, why);
                           if (found) with.report().add("fio." + where + ".iops", found->iops);
                           if (!found) with.report().note(why);
                       }});
    }
}

void add_series(report& into) {
    for (const std::uint64_t block : {4 * KiB, 64 * KiB, 512 * KiB, 2 * MiB, 10 * MiB}) {
        for (const unsigned depth : {1U, 2U, 4U, 8U, 16U, 32U, 64U}) {
            const std::string size = short_size(block);
            for (const char* const what : {"gbps", "p50_us"}) {
                const auto found = into.find(fmt::format("device.{}.d{}.{}", size, depth, what));
                if (!found) continue;
                into.add_point(fmt::format("device.{}.{}", size, what), depth, found->median);
            }
        }
    }
}

void one_point(bench& with) {
    point at;
    const bench_options& options = with.options();
    if (options.block != 0) at.block = options.block;
    if (options.depth != 0) at.depth = options.depth;
    at.fixed = options.fixed_buffers;
    at.random = options.random;
    at.huge = options.engine.huge_pages;
    at.threads = std::max(options.threads, 1U);
    const std::vector<contestant> all{{"device", [&] {
                                           const point_result found =
                                               measure(with, at, with.seconds());
                                           with.report().add("device.iops", found.iops);
                                           with.report().add("device.gbps", found.gbps);
                                           with.report().add("device.cpu_us", found.cpu_us);
                                           with.report().add_latencies("device", found.ns);
                                       }}};
    with.alternate("device", all);
}

void run_device(bench& with) {
    const bench_options& options = with.options();
    drop_page_cache(with.target());
    if (options.depth != 0 || options.block != 0 || options.threads != 0) {
        one_point(with);
        return;
    }
    std::vector<contestant> all;
    add_depths(with, all);
    add_buffers(with, all);
    if (options.rival("fio")) add_fio(with, all);
    with.alternate("device", all);
    add_series(with.report());
    for (const point& at : fio_points) {
        const std::string where = fmt::format("{}_d{}", short_size(at.block), at.depth);
        with.report().compare("device/fio." + where, "device." + where + ".iops",
                              "fio." + where + ".iops");
    }
}

constexpr std::array definitions{
    figure_definition{"device.*.d*.{gbps,iops}",
                      "a raw ring with blocks of so many bytes, so many in flight: what the device "
                      "gives, and at which depth it is full"},
    figure_definition{"device.*.d*.p50_us",
                      "the median time of one read by a raw ring, so many in flight: what more in "
                      "flight costs each of them"},
    figure_definition{
        "device.{small,huge}_pages.cpu_us_per_chunk",
        "CPU time of a raw ring for a chunk into 4 KiB or huge pages: why leat takes huge ones"},
    figure_definition{"device.{small,huge}_pages_registered.cpu_us_per_chunk",
                      "CPU time of a raw ring for a chunk into registered buffers: why leat "
                      "registers them, where the limit of locked memory lets it"},
    figure_definition{"{device,fio}.{4k_d1,4k_d32,16k_d8}.iops",
                      "reads a second at three points, by a raw ring set as fio is and by fio: "
                      "whether the ring that leat is compared with is a fair one"},
    figure_definition{"device/fio.{4k_d1,4k_d32,16k_d8}",
                      "the ring's rate over fio's: near 1 if the ring is a fair rival"},
    figure_definition{"device.{iops,gbps,cpu_us,p50_us,p99_us}",
                      "the one point that -d, -b, -B, -R and -n name, by a raw ring: as fio's "
                      "t/io_uring tells it"},
};

}  // namespace

constexpr workload device_workload{
    "device", "a raw ring over block sizes, depths and buffers, and fio at three points",
    definitions, &run_device};

}  // namespace leat::perf
