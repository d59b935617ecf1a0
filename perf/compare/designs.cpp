// The workload "designs": what one would do without leat, on the same file.
#include "compare/designs.hpp"

#include "common/clocks.hpp"
#include "common/mapped_memory.hpp"
#include "common/pages.hpp"
#include "common/pinned_thread.hpp"
#include "compare/design.hpp"
#include "micro/hit_loops.hpp"

#include <leat/leat.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <string>
#include <thread>
#include <vector>

namespace leat::perf {

namespace {

constexpr std::uint32_t chunks = 16;
constexpr std::size_t requests = std::size_t{1} << 16;
constexpr std::size_t between_looks = 64;

/// What all clients of a design together reached.
struct client_result {
    std::uint64_t count = 0;
    double seconds = 0;  ///< summed over the clients
    double cpu_seconds = 0;
};

struct hand_over {
    std::uint64_t operator()(const std::byte* data) const noexcept { return first_word(data); }
};

task<slice> relay(chunk_manager& lower, chunk_config config) {
    slice held = co_await lower.get_chunk(config);
    co_return held;
}

task<slice> relay_again(chunk_manager& lower, chunk_config config) {
    slice held = co_await relay(lower, config);
    co_return held;
}

// Three managers that ask each other by co_await; the last has the chunks.
task<loop_result> chain_loop(chunk_manager& manager,
                             file_id file,
                             const page_order& order,
                             double seconds) {
    loop_result result;
    const auto begin = clock::now();
    const auto end = later(begin, duration_of(seconds));
    while (clock::now() < end) {
        for (std::size_t n = 0; n < between_looks; ++n) {
            const std::uint64_t page = order[result.count++ & (order.size() - 1)];
            const chunk_config config{file, page * page_bytes, page_bytes};
            const slice held = co_await relay_again(manager, config);
            result.sum += first_word(held.data());
        }
    }
    result.seconds = seconds_between(begin, clock::now());
    co_return result;
}

/// The chunks, in memory and in leat's cache, and everybody's clients.
class designs_bench {
public:
    explicit designs_bench(bench& with);
    void run();

private:
    task<> fill();
    client_result run_design(design& of, const page_order& order);
    client_result run_leat(bool chain, const page_order& order);
    void add(const std::string& name, const client_result& found);

    bench& bench_;
    std::uint64_t bytes_;
    mapped_memory memory_;
    chunk_store store_;
    unsigned threads_;
    engine engine_;
    chunk_manager manager_;
    file file_;
};

designs_bench::designs_bench(bench& with)
    : bench_(with),
      bytes_(chunks * with.options().engine.chunk_size),
      memory_(mapped_memory::of_file(open_file(with.target().path, false).get(), bytes_)),
      store_{memory_.data(), with.options().engine.chunk_size, chunks},
      threads_(with.options().threads != 0 ? with.options().threads
                                           : static_cast<unsigned>(allowed_cpus().size())),
      engine_(with.engine_with(0, 4 * bytes_)),
      manager_(engine_, file_source{}) {}

task<> designs_bench::fill() {
    file_ = co_await manager_.open(bench_.target().path);
    slice_stream stream = manager_.slices(file_, 0, bytes_);
    for (;;) {
        const slice piece = co_await stream.next();
        if (!piece) break;
    }
}

client_result designs_bench::run_design(design& of, const page_order& order) {
    const std::vector<unsigned> cpus = allowed_cpus();
    std::vector<client_result> each(threads_);
    const auto client = [&](unsigned number) {
        pinned_thread where{cpus[number % cpus.size()]};
        where.run([&] {
            const auto begin = clock::now();
            const auto end = later(begin, duration_of(bench_.seconds()));
            std::size_t at = 0;
            do {
                keep(of.request(std::span{order}.subspan(at, between_looks)));
                each[number].count += between_looks;
                at = (at + between_looks) % order.size();
            } while (clock::now() < end);
            each[number].seconds = seconds_between(begin, clock::now());
        });
    };
    const double cpu = process_cpu_seconds();
    std::vector<std::thread> clients;
    for (unsigned number = 0; number < threads_; ++number) clients.emplace_back(client, number);
    for (std::thread& one : clients) one.join();
    client_result all;
    for (const client_result& one : each) {
        all.count += one.count;
        all.seconds += one.seconds;
    }
    all.cpu_seconds = process_cpu_seconds() - cpu;
    return all;
}

client_result designs_bench::run_leat(bool chain, const page_order& order) {
    const double cpu = process_cpu_seconds();
    std::vector<spawned<loop_result>> running;
    for (unsigned shard = 0; shard < engine_.shards(); ++shard) {
        running.push_back(engine_.spawn_on(
            shard, chain ? chain_loop(manager_, file_, order, bench_.seconds())
                         : hit_loop(manager_, file_, order, bench_.seconds(), hand_over{})));
    }
    client_result all;
    for (spawned<loop_result>& one : running) {
        const loop_result found = one.get();
        all.count += found.count;
        all.seconds += found.seconds;
    }
    all.cpu_seconds = process_cpu_seconds() - cpu;
    return all;
}

// A client's time for one request, and everybody's CPU for it.
void designs_bench::add(const std::string& name, const client_result& found) {
    const auto count = static_cast<double>(found.count);
    bench_.report().add(name + ".ns", found.seconds * 1e9 / count);
    bench_.report().add(name + ".cpu_ns", found.cpu_seconds * 1e9 / count);
}

void designs_bench::run() {
    bench_.progress("designs: filling the caches");
    engine_.run(fill());
    const auto pages = static_cast<std::uint32_t>(bytes_ / page_bytes);
    const page_order hot = hot_page(pages / 2);
    const page_order uniform = uniform_pages(pages, requests, 1);
    std::vector<named_design> rivals(lock_designs().begin(), lock_designs().end());
    rivals.insert(rivals.end(), channel_designs().begin(), channel_designs().end());
    std::vector<contestant> all;
    for (const auto& [order_name, order] : {std::pair{"hot", &hot}, {"uniform", &uniform}}) {
        for (const bool chain : {false, true}) {
            const std::string name =
                fmt::format("designs.{}.{}", chain ? "chain_co_await" : "leat", order_name);
            all.push_back(
                {name, [this, name, chain, which = order] { add(name, run_leat(chain, *which)); }});
        }
        for (const named_design& rival : rivals) {
            const std::string name = fmt::format("designs.{}.{}", rival.name, order_name);
            all.push_back({name, [this, name, rival, which = order] {
                               const auto one = rival.make(store_);
                               add(name, run_design(*one, *which));
                           }});
        }
    }
    bench_.alternate("designs", all);
    for (const contestant& one : all) {
        const std::size_t dot = one.name.rfind('.');
        const std::string leat = "designs.leat" + one.name.substr(dot);
        if (one.name != leat)
            bench_.report().compare(one.name + "/leat", one.name + ".ns", leat + ".ns");
    }
}

void run_designs(bench& with) {
    designs_bench{with}.run();
}

constexpr std::array definitions{
    figure_definition{"designs.*.{hot,uniform}.ns",
                      "a client's time for a page by that design, as many clients as CPUs or -n: "
                      "what locks, copies and channels cost beside leat"},
    figure_definition{"designs.*.{hot,uniform}.cpu_ns",
                      "CPU time of all threads for a page by that design: what it takes from the "
                      "rest of the machine"},
    figure_definition{"designs.*.{hot,uniform}/leat",
                      "that design's time over leat's: how many times as long it takes", false,
                      preference::more},
};

}  // namespace

constexpr workload designs_workload{
    "designs", "other ways to serve pages of chunks in memory, from several threads", definitions,
    &run_designs};

}  // namespace leat::perf
