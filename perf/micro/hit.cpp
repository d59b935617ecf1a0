// Hits: one coroutine on one shard, every byte in the cache.
#include "micro/hit.hpp"

#include "common/allocations.hpp"
#include "common/mapped_memory.hpp"
#include "micro/hit_loops.hpp"

#include <leat/cache/recording.hpp>
#include <leat/cache/slice_stream.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace leat::perf {

namespace {

constexpr std::uint64_t most_cached = 1 * GiB;
constexpr std::size_t requests = std::size_t{1} << 20;
constexpr double zipf_exponent = 0.99;

struct hand_over {
    std::uint64_t operator()(const std::byte* data) const noexcept { return first_word(data); }
};
struct read_all {
    std::uint64_t operator()(const std::byte* data) const noexcept { return all_words(data); }
};
struct copy_out {
    std::byte* to;
    std::uint64_t operator()(const std::byte* data) const noexcept {
        std::memcpy(to, data, page_bytes);
        keep_memory(to);
        return first_word(to);
    }
};

struct pattern {
    std::string name;
    page_order order;
};

/// All that the contestants share. Those that run on the shard are tasks of its engine; the rivals
/// run there too, so that all have the same CPU.
class hit_bench {
public:
    explicit hit_bench(bench& with);
    void run();

private:
    std::uint64_t cached_bytes() const;
    task<> fill();
    template <class Consume>
    void measure(const std::string& figure, const page_order& order, Consume consume);
    void floor(const std::string& figure, const page_order& order);
    void measure_recorded();
    enum class loaded : std::uint8_t { fragment, chunk };
    void measure_apart(const std::string& figure, engine& of, chunk_manager& by, loaded what);
    void copy_by_pread();
    void copy_by_mmap();
    void check(const loop_result& result, const page_order& order, bool all, std::string_view what);
    std::vector<contestant> contestants();

    bench& bench_;
    std::uint64_t bytes_;
    std::uint32_t pages_;
    engine engine_;
    chunk_manager manager_;
    file file_;
    chunk_manager fragment_manager_;  ///< of the same engine; it has nothing but a fragment
    engine lru_engine_;               ///< the same by another policy
    chunk_manager lru_manager_;
    descriptor buffered_;
    mapped_memory mapped_;
    std::vector<std::uint64_t> first_words_;  ///< of each page, read past leat
    std::vector<std::uint64_t> sums_;
    std::vector<pattern> patterns_;
    std::vector<std::byte> copy_ = std::vector<std::byte>(page_bytes);
};

engine_options lru_options(const bench& with) {
    engine_options options = with.engine_with(1, 0);
    options.memory = 4 * options.chunk_size;
    options.policy = cache_policy::lru;
    return options;
}

hit_bench::hit_bench(bench& with)
    : bench_(with),
      bytes_(cached_bytes()),
      pages_(static_cast<std::uint32_t>(bytes_ / page_bytes)),
      engine_(with.engine_with(1, bytes_ + 2 * with.options().engine.chunk_size)),
      manager_(engine_, file_source{}),
      fragment_manager_(engine_, file_source{}),
      lru_engine_(lru_options(with)),
      lru_manager_(lru_engine_, file_source{}),
      buffered_(open_file(with.target().path, false)),
      mapped_(mapped_memory::of_file(buffered_.get(), bytes_)) {}

std::uint64_t hit_bench::cached_bytes() const {
    const std::uint64_t chunk = bench_.options().engine.chunk_size;
    std::uint64_t bytes = std::min(bench_.target().size, most_cached);
    const std::uint64_t memory = bench_.options().engine.memory;
    if (memory != 0) bytes = std::min(bytes, memory - std::min(memory, chunk));
    return std::max(bytes / chunk, std::uint64_t{1}) * chunk;
}

task<> hit_bench::fill() {
    file_ = co_await manager_.open(bench_.target().path);
    slice_stream stream = manager_.slices(file_, 0, bytes_);
    for (;;) {
        const slice piece = co_await stream.next();
        if (!piece) break;
    }
}

void hit_bench::check(const loop_result& result,
                      const page_order& order,
                      bool all,
                      std::string_view what) {
    const std::vector<std::uint64_t>& of_page = all ? sums_ : first_words_;
    std::uint64_t round = 0;
    for (const std::uint32_t page : order) round += of_page[page];
    const std::uint64_t rounds = result.count / order.size();
    std::uint64_t expected = rounds * round;
    for (std::size_t i = 0; i < result.count % order.size(); ++i) expected += of_page[order[i]];
    bench::require(result.sum == expected, what);
}

template <class Consume>
void hit_bench::measure(const std::string& figure, const page_order& order, Consume consume) {
    task<loop_result> loop = hit_loop(manager_, file_, order, bench_.seconds(), consume);
    const loop_result result = engine_.run(std::move(loop));
    bench_.report().add(figure, result.ns());
    check(result, order, std::is_same_v<Consume, read_all>, figure);
}

// hit.hot by a manager of its own, for which its page is loaded first, alone or with its chunk.
void hit_bench::measure_apart(const std::string& figure,
                              engine& of,
                              chunk_manager& by,
                              loaded what) {
    const page_order& order = patterns_[0].order;
    const auto load_and_loop = [&](double seconds) -> task<loop_result> {
        const file from = co_await by.open(bench_.target().path);
        const std::uint64_t page = order[0] * std::uint64_t{page_bytes};
        const std::uint64_t size = what == loaded::chunk ? by.chunk_size() : page_bytes;
        const chunk_config wanted{from, page / size * size, static_cast<std::uint32_t>(size)};
        {
            const slice held = co_await by.get_chunk(wanted);
        }
        task<loop_result> loop = hit_loop(by, from, order, seconds, hand_over{});
        co_return co_await std::move(loop);
    };
    const loop_result result = of.run(load_and_loop(bench_.seconds()));
    bench_.report().add(figure, result.ns());
    check(result, order, false, figure);
}

// Into a file beside other temporary ones, which a hot page leaves small.
void hit_bench::measure_recorded() {
    const std::string path = std::filesystem::temp_directory_path() /
                             ("leat-bench-" + std::to_string(::getpid()) + ".rec");
    const page_order& order = patterns_[0].order;
    recording tape{manager_, path};
    const loop_result result =
        engine_.run(hit_loop(manager_, file_, order, bench_.seconds(), hand_over{}));
    const recording_summary told = tape.stop();
    std::filesystem::remove(path);
    bench_.report().add("hit.recorded.ns", result.ns());
    bench_.report().add("hit.recorded.lost_ratio",
                        static_cast<double>(told.lost) / static_cast<double>(result.count));
    check(result, order, false, "hit.recorded.ns");
    bench::require(told.requests + told.lost == result.count, "hit.recorded.ns");
}

task<loop_result> on_shard(std::function<loop_result()> loop) {
    co_return loop();
}

void hit_bench::floor(const std::string& figure, const page_order& order) {
    const loop_result result = engine_.run(on_shard(
        [&] { return floor_loop(manager_.chunk_size(), file_, order, bench_.seconds()); }));
    bench_.report().add(figure, result.ns());
    check(result, order, false, figure);
}

void hit_bench::copy_by_pread() {
    const page_order& order = patterns_[1].order;
    const loop_result result = engine_.run(on_shard([&] {
        return plain_loop(order, bench_.seconds(), [&](std::uint64_t page) {
            const auto at = static_cast<off_t>(page * page_bytes);
            if (::pread(buffered_.get(), copy_.data(), page_bytes, at) < 0) return std::uint64_t{0};
            return first_word(copy_.data());
        });
    }));
    bench_.report().add("pread.uniform.ns", result.ns());
    check(result, order, false, "pread");
}

void hit_bench::copy_by_mmap() {
    const page_order& order = patterns_[1].order;
    const copy_out copy{copy_.data()};
    const loop_result result = engine_.run(on_shard([&] {
        return plain_loop(order, bench_.seconds(), [&](std::uint64_t page) {
            return copy(mapped_.data() + page * page_bytes);
        });
    }));
    bench_.report().add("mmap.uniform.ns", result.ns());
    check(result, order, false, "mmap");
}

std::vector<contestant> hit_bench::contestants() {
    std::vector<contestant> all;
    for (const pattern& one : patterns_) {
        const std::string figure = "hit." + one.name + ".ns";
        all.push_back({figure, [this, figure, &one] { measure(figure, one.order, hand_over{}); }});
        if (one.name != "hot" && one.name != "uniform") continue;
        if (one.name == "hot") {
            all.push_back({"hit.recorded.ns", [this] { measure_recorded(); }});
            all.push_back({"hit.fragment.ns", [this] {
                               measure_apart("hit.fragment.ns", engine_, fragment_manager_,
                                             loaded::fragment);
                           }});
            all.push_back({"hit.lru.ns", [this] {
                               measure_apart("hit.lru.ns", lru_engine_, lru_manager_,
                                             loaded::chunk);
                           }});
        }
        const std::string bare = "floor." + one.name + ".ns";
        all.push_back({bare, [this, bare, &one] { floor(bare, one.order); }});
    }
    for (const pattern& one : patterns_) {
        const std::string figure = "hit." + one.name + ".read_all_ns";
        all.push_back({figure, [this, figure, &one] { measure(figure, one.order, read_all{}); }});
    }
    all.push_back({"hit.copy.ns",
                   [this] { measure("hit.copy.ns", patterns_[1].order, copy_out{copy_.data()}); }});
    if (bench_.options().rival("pread"))
        all.push_back({"pread.uniform.ns", [this] { copy_by_pread(); }});
    if (bench_.options().rival("mmap"))
        all.push_back({"mmap.uniform.ns", [this] { copy_by_mmap(); }});
    all.push_back(
        {"hit.allocations", [this] {
             task<loop_result> loop =
                 hit_loop(manager_, file_, patterns_[0].order, bench_.seconds() / 4, hand_over{});
             const auto counted = [](task<loop_result> job) -> task<std::uint64_t> {
                 const std::uint64_t before = allocations();
                 co_await std::move(job);
                 co_return allocations() - before;
             };
             const std::uint64_t count = engine_.run(counted(std::move(loop)));
             // The loop's own frame may be one.
             bench_.report().add("hit.allocations", static_cast<double>(count > 0 ? count - 1 : 0));
         }});
    return all;
}

void hit_bench::run() {
    bench_.progress("hit: filling the cache");
    warm_page_cache(bench_.target(), bytes_);
    for (std::uint32_t page = 0; page < pages_; ++page) {
        const std::byte* const data = mapped_.data() + std::uint64_t{page} * page_bytes;
        first_words_.push_back(first_word(data));
        sums_.push_back(all_words(data));
    }
    engine_.run(fill());
    patterns_.push_back({"hot", hot_page(pages_ / 2)});
    patterns_.push_back({"uniform", uniform_pages(pages_, requests, 1)});
    patterns_.push_back({"sequential", sequential_pages(pages_, requests)});
    patterns_.push_back({"zipf", zipf_pages(pages_, requests, zipf_exponent, 2)});
    const std::vector<contestant> all = contestants();
    bench_.alternate("hit", all);
    bench_.report().compare("hit.hot/floor.hot", "hit.hot.ns", "floor.hot.ns");
    bench_.report().compare("hit.fragment/hit.hot", "hit.fragment.ns", "hit.hot.ns");
    bench_.report().compare("hit.hot/hit.lru", "hit.hot.ns", "hit.lru.ns");
    bench_.report().compare("hit.recorded/hit.hot", "hit.recorded.ns", "hit.hot.ns");
    bench_.report().compare("pread.uniform/hit.copy", "pread.uniform.ns", "hit.copy.ns");
    bench_.report().compare("mmap.uniform/hit.copy", "mmap.uniform.ns", "hit.copy.ns");
    drop_page_cache(bench_.target());
}

void run_hit(bench& with) {
    hit_bench{with}.run();
}

constexpr std::array definitions{
    figure_definition{"hit.hot.ns",
                      "get_chunk of one page over and over by one coroutine, 8 bytes of it read: "
                      "the least that a request can cost"},
    figure_definition{"hit.{uniform,sequential,zipf}.ns",
                      "get_chunk of pages of up to 1 GiB in memory, at random, in order and by "
                      "Zipf 0.99, 8 bytes read: what misses of the CPU's own caches add to a hit"},
    figure_definition{"hit.{hot,uniform,sequential,zipf}.read_all_ns",
                      "get_chunk of a page in memory, all 4096 bytes of it read: what is paid by a "
                      "user who looks at them, most of it to memory"},
    figure_definition{"hit.copy.ns",
                      "get_chunk of a random page in memory, copied out to the caller: what pread "
                      "and mmap are to be compared with"},
    figure_definition{"pread.uniform.ns",
                      "pread of a random page from the page cache: what a user has without leat"},
    figure_definition{"mmap.uniform.ns",
                      "a random page copied out of a mapped file in the page cache: the best a "
                      "user has without leat, while nothing is missing"},
    figure_definition{"hit.fragment.ns",
                      "hit.hot.ns where the page lies in a fragment, not in a whole chunk: small "
                      "pieces may not make hits dear"},
    figure_definition{
        "hit.lru.ns",
        "hit.hot.ns in an engine whose policy is LRU: what the default policy costs a hit"},
    figure_definition{
        "hit.recorded.ns",
        "hit.hot.ns while its requests are recorded: whether a recording may run in production"},
    figure_definition{"hit.recorded.lost_ratio",
                      "requests that the recording did not keep up with, over all: how much of a "
                      "load at full speed it misses",
                      false, preference::less},
    figure_definition{
        "hit.allocations",
        "calls of operator new in a loop of hits: each would cost time, and could fail", true,
        preference::less},
    figure_definition{"floor.{hot,uniform}.ns",
                      "find, pin, touch and unpin in the same table, without a coroutine: what no "
                      "hit can be faster than"},
    figure_definition{"hit.hot/floor.hot",
                      "hit.hot.ns over floor.hot.ns: what awaiting adds to the bare lookup", false,
                      preference::less},
    figure_definition{
        "hit.fragment/hit.hot",
        "hit.fragment.ns over hit.hot.ns: 1 if small pieces cost as little as whole chunks", false,
        preference::less},
    figure_definition{"hit.hot/hit.lru",
                      "hit.hot.ns over hit.lru.ns: 1 if the better policy is free", false,
                      preference::less},
    figure_definition{"hit.recorded/hit.hot",
                      "hit.recorded.ns over hit.hot.ns: 1 if recording is free", false,
                      preference::less},
    figure_definition{"{pread,mmap}.uniform/hit.copy",
                      "their time for a random page over hit.copy.ns: how many times as long the "
                      "same copy takes without leat",
                      false, preference::more},
};

}  // namespace

constexpr workload hit_workload{
    "hit", "a hit on one shard, and what pread and mmap take for the same bytes", definitions,
    &run_hit};

}  // namespace leat::perf
