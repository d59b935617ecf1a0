// The workload "remote": hits on chunks that another shard owns.
#include "micro/remote.hpp"

#include "micro/hit_loops.hpp"

#include <leat/cache/slice_stream.hpp>
#include <leat/engine/resume_on.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <vector>

namespace leat::perf {

namespace {

constexpr std::uint64_t cached_chunks = 48;
constexpr std::size_t requests = std::size_t{1} << 18;

struct hand_over {
    std::uint64_t operator()(const std::byte* data) const noexcept { return first_word(data); }
};

/// The file's first chunks, cached by an engine of at least two shards.
class remote_bench {
public:
    explicit remote_bench(bench& with);
    void run();

private:
    task<> fill();
    [[nodiscard]] std::uint32_t first_page_of(unsigned owner) const;
    [[nodiscard]] page_order pages_of(unsigned owner) const;
    std::vector<loop_result> on_each(const std::vector<page_order>& orders, unsigned shards);
    void scaling(const std::string& name, const std::vector<page_order>& orders);
    void every_shard(const std::string& name, const std::vector<page_order>& orders);
    void uniform();
    void hop();

    bench& bench_;
    std::uint64_t bytes_;
    engine engine_;
    chunk_manager manager_;
    file file_;
    std::vector<page_order> shared_;
    std::vector<page_order> private_;
    page_order uniform_;
};

// Leases live in the table beside chunks; memory is for chunks only.
remote_bench::remote_bench(bench& with)
    : bench_(with),
      bytes_(std::min(cached_chunks, with.target().size / with.options().engine.chunk_size) *
             with.options().engine.chunk_size),
      engine_(with.engine_with(0, 4 * bytes_)),
      manager_(engine_, file_source{}) {}

task<> remote_bench::fill() {
    file_ = co_await manager_.open(bench_.target().path);
    slice_stream stream = manager_.slices(file_, 0, bytes_);
    for (;;) {
        const slice piece = co_await stream.next();
        if (!piece) break;
    }
}

std::uint32_t remote_bench::first_page_of(unsigned owner) const {
    for (std::uint64_t at = 0; at < bytes_; at += manager_.chunk_size()) {
        const chunk_config chunk{file_, at, page_bytes};
        if (manager_.owner(chunk) == owner) return static_cast<std::uint32_t>(at / page_bytes);
    }
    return 0;
}

page_order remote_bench::pages_of(unsigned owner) const {
    const auto pages = static_cast<std::uint32_t>(bytes_ / page_bytes);
    page_order all = uniform_pages(pages, 4 * requests, 3);
    std::erase_if(all, [&](std::uint32_t page) {
        const chunk_config chunk{file_, std::uint64_t{page} * page_bytes, page_bytes};
        return manager_.owner(chunk) != owner;
    });
    all.resize(std::bit_floor(all.size()));
    return all;
}

std::vector<loop_result> remote_bench::on_each(const std::vector<page_order>& orders,
                                               unsigned shards) {
    std::vector<spawned<loop_result>> running;
    for (unsigned shard = 0; shard < shards; ++shard) {
        running.push_back(engine_.spawn_on(
            shard, hit_loop(manager_, file_, orders[shard], bench_.seconds(), hand_over{})));
    }
    std::vector<loop_result> results;
    for (spawned<loop_result>& one : running) results.push_back(one.get());
    return results;
}

// `ns` is of those shards that are not 0, to whom the chunk is remote where it is shared.
void remote_bench::every_shard(const std::string& name, const std::vector<page_order>& orders) {
    const std::vector<loop_result> results = on_each(orders, engine_.shards());
    double rate = 0;
    double ns = 0;
    for (const loop_result& one : results) rate += static_cast<double>(one.count) / one.seconds;
    for (std::size_t i = 1; i < results.size(); ++i) ns += results[i].ns();
    bench_.report().add(name + ".ns", ns / static_cast<double>(results.size() - 1));
    bench_.report().add(name + ".ops_per_s", rate);
}

// The rate over the number of shards that ask.
void remote_bench::scaling(const std::string& name, const std::vector<page_order>& orders) {
    for (unsigned shards = 1; shards <= engine_.shards(); ++shards) {
        double rate = 0;
        for (const loop_result& one : on_each(orders, shards))
            rate += static_cast<double>(one.count) / one.seconds;
        bench_.report().add_point(name + ".ops_per_s", shards, rate);
    }
}

void remote_bench::uniform() {
    const loop_result result =
        engine_.spawn_on(1, hit_loop(manager_, file_, uniform_, bench_.seconds(), hand_over{}))
            .get();
    bench_.report().add("remote.uniform.ns", result.ns());
}

task<loop_result> hop_loop(const chunk_manager& manager,
                           file_id file,
                           const page_order& order,
                           double seconds) {
    loop_result result;
    const unsigned home = this_shard().index();
    const auto begin = clock::now();
    const auto end = later(begin, duration_of(seconds));
    while (clock::now() < end) {
        const std::uint64_t page = order[result.count & (order.size() - 1)];
        const chunk_config config{file, page * page_bytes, page_bytes};
        co_await resume_on(manager.owner(config));
        {
            const slice held = co_await manager.get_chunk(config);
            result.sum += first_word(held.data());
        }
        co_await resume_on(home);
        ++result.count;
    }
    result.seconds = seconds_between(begin, clock::now());
    co_return result;
}

void remote_bench::hop() {
    const loop_result result =
        engine_.spawn_on(1, hop_loop(manager_, file_, uniform_, bench_.seconds())).get();
    bench_.report().add("remote.hop.ns", result.ns());
}

void remote_bench::run() {
    if (engine_.shards() < 2) {
        bench_.report().note("remote hits need two shards, and there is one");
        return;
    }
    bench_.progress("remote: filling the cache");
    engine_.run(fill());
    for (unsigned shard = 0; shard < engine_.shards(); ++shard) {
        shared_.push_back(hot_page(first_page_of(0)));
        private_.push_back(hot_page(first_page_of(shard)));
    }
    uniform_ = pages_of(0);
    const std::vector<contestant> all{
        {"remote.hot", [this] { every_shard("remote.hot", shared_); }},
        {"private.hot", [this] { every_shard("private.hot", private_); }},
        {"remote.uniform", [this] { uniform(); }},
        {"remote.hop", [this] { hop(); }},
    };
    bench_.alternate("remote", all);
    scaling("remote.hot", shared_);
    scaling("private.hot", private_);
    report& into = bench_.report();
    into.compare("remote.hot/hit.hot", "remote.hot.ns", "private.hot.ns");
    into.compare("remote.scaling", "remote.hot.ops_per_s", "private.hot.ops_per_s");
}

void run_remote(bench& with) {
    remote_bench{with}.run();
}

constexpr std::array definitions{
    figure_definition{"remote.hot.ns",
                      "all shards hit one page of shard 0, timed on the others: with a lease a hit "
                      "is local, whoever owns the chunk"},
    figure_definition{"private.hot.ns",
                      "each shard hits a page of its own, timed on the same shards: what "
                      "remote.hot.ns is compared with"},
    figure_definition{"{remote,private}.hot.ops_per_s",
                      "hits a second of all shards together, on one page and on one each: whether "
                      "a hot chunk is served by every core"},
    figure_definition{"remote.uniform.ns",
                      "shard 1 hits random pages of all chunks that shard 0 owns: leases that the "
                      "CPU has not at hand"},
    figure_definition{"remote.hop.ns",
                      "shard 1 moves to the owner, hits there and moves back: what a request would "
                      "cost without leases"},
    figure_definition{
        "remote.hot/hit.hot",
        "remote.hot.ns over private.hot.ns: 1 if another shard's chunk is as near as one's own",
        false, preference::less},
    figure_definition{"remote.scaling",
                      "hits a second on one page over those on private pages: 1 if cores do not "
                      "disturb each other",
                      false, preference::more},
};

}  // namespace

constexpr workload remote_workload{
    "remote", "hits on chunks that another shard owns: leases, hops, and private chunks",
    definitions, &run_remote};

}  // namespace leat::perf
