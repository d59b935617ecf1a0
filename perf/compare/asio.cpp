// The workload "asio": Boost.Asio's files in a program of their own, beside leat.
#include "compare/asio.hpp"

#include "common/child.hpp"
#include "common/clocks.hpp"
#include "common/pages.hpp"
#include "common/sink.hpp"

#include <leat/cache/file_source.hpp>
#include <leat/engine/engine.hpp>
#include <leat/engine/file_io.hpp>
#include <leat/engine/scope.hpp>

#include <array>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace leat::perf {

namespace {

constexpr unsigned depth = 32;

struct reads_result {
    std::uint64_t reads = 0;
    double seconds = 0;
    double cpu_seconds = 0;
};

task<> read_pages(const io::file& from,
                  std::uint64_t pages,
                  clock::time_point end,
                  std::uint64_t seed,
                  reads_result& result) {
    random_words random{seed};
    io::buffer_arena& arena = *this_shard().arena();
    std::byte* const memory = arena.allocate(page_bytes);
    while (clock::now() < end) {
        const std::span<std::byte> into{memory, page_bytes};
        file_read_wait reading{from, random.below(pages) * page_bytes, into};
        const boost::system::result<std::size_t> count = co_await std::move(reading);
        bench::require(count && *count == page_bytes, "a page, by leat's file");
        keep(first_word(memory));
        ++result.reads;
    }
    arena.release(memory, page_bytes);
}

task<reads_result> leat_reads(std::string path, std::uint64_t size, double seconds) {
    reads_result result;
    file_source source;
    const io::file from = co_await source.open(path);
    const double cpu = process_cpu_seconds();
    const auto begin = clock::now();
    scope all;
    for (unsigned i = 0; i < depth; ++i)
        all.spawn(
            read_pages(from, size / page_bytes, later(begin, duration_of(seconds)), i, result));
    co_await all.join();
    result.seconds = seconds_between(begin, clock::now());
    result.cpu_seconds = process_cpu_seconds() - cpu;
    co_return result;
}

// Nothing if the program is not there or fails; then the report says so.
void asio_reads(bench& with, const std::string& name, unsigned objects) {
    const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe");
    const child_output output = run_child(
        {here.parent_path() / "leat-bench-asio", with.target().path,
         std::to_string(with.target().size), std::to_string(objects), std::to_string(depth),
         std::to_string(with.seconds()), std::to_string(with.first_cpu())});
    reads_result found;
    std::istringstream words{output.text};
    words >> found.reads >> found.seconds >> found.cpu_seconds;
    if (!output.good() || !words || found.reads == 0) {
        with.report().note("leat-bench-asio could not be run: what it would have shown is missing");
        return;
    }
    const auto count = static_cast<double>(found.reads);
    with.report().add(name + ".iops", count / found.seconds);
    with.report().add(name + ".cpu_us", found.cpu_seconds * 1e6 / count);
}

void run_asio(bench& with) {
    drop_page_cache(with.target());
    engine shards{with.engine_with(1, 64 * MiB)};
    std::vector<contestant> all{
        {"leat.raw", [&] {
             const reads_result found =
                 shards.run(leat_reads(with.target().path, with.target().size, with.seconds()));
             const auto count = static_cast<double>(found.reads);
             with.report().add("leat.raw.iops", count / found.seconds);
             with.report().add("leat.raw.cpu_us", found.cpu_seconds * 1e6 / count);
         }}};
    if (with.options().rival("asio")) {
        all.push_back({"asio.one", [&] { asio_reads(with, "asio.one", 1); }});
        all.push_back({"asio.many", [&] { asio_reads(with, "asio.many", depth); }});
    }
    with.alternate("asio", all);
    with.report().compare("leat.raw/asio.many", "leat.raw.iops", "asio.many.iops");
}

constexpr std::array definitions{
    figure_definition{"{asio.one,asio.many,leat.raw}.iops",
                      "reads a second by Boost.Asio's files, one object for all or one each, and "
                      "by leat's: what the layer below the cache gives"},
    figure_definition{"{asio.one,asio.many,leat.raw}.cpu_us",
                      "CPU time of the process for one cold read of 4 KiB by Asio's files and by "
                      "leat's: what the layer below the cache costs"},
    figure_definition{
        "leat.raw/asio.many",
        "leat's rate over that of Asio's many objects: above 1 if leat's is the faster", false,
        preference::more},
};

}  // namespace

constexpr workload asio_workload{
    "asio", "cold 4 KiB, 32 at once: leat's files and Boost.Asio's, without a cache", definitions,
    &run_asio};

}  // namespace leat::perf
