// Chooses what of a run is drawn, and how.
#include "common/plots.hpp"

#include "common/bar_plot.hpp"
#include "common/figure.hpp"
#include "common/gnuplot.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace leat::perf {

namespace {

constexpr const char* lines = "with linespoints";
constexpr const char* tails =
    "set logscale xy\nset xrange [99:0.01] reverse\n"
    "set xlabel '% of requests that took longer'\nset ylabel 'time of a request, us'\n";
constexpr unsigned line_plot_height = 350;
constexpr unsigned pattern_plot_height = 420;

/// A name of the report, and what a reader calls it.
struct named {
    std::string_view name;
    std::string_view label;
};

class plots_builder {
public:
    explicit plots_builder(const run_record& run) : run_(run) {}

    void add_lines(std::string title,
                   std::string caption,
                   const std::string& settings,
                   const std::vector<curve>& curves,
                   unsigned height = line_plot_height) {
        if (curves.empty()) return;
        plots_.push_back(
            {std::move(title), std::move(caption),
             draw({picture_kind::element, plot_width, height, next_id()}, settings, curves)});
    }
    void add_bars(std::string title, std::string caption, const bar_plot& bars) {
        if (bars.bars.empty()) return;
        plots_.push_back({std::move(title), std::move(caption), draw_bars(bars, next_id())});
    }
    /// The lines of all series that are there, in units of `unit`.
    [[nodiscard]] std::vector<curve> series(std::initializer_list<named> wanted,
                                            double unit = 1) const {
        return lines_of(run_.series, wanted,
                        [unit](double x, double y) { return std::pair{x, y / unit}; });
    }
    /// The share of requests that took longer, so that the tails show; in us.
    [[nodiscard]] std::vector<curve> latencies(std::initializer_list<named> wanted) const {
        return lines_of(run_.histograms, wanted, [](double percent, double ns) {
            return std::pair{100 - percent, to_us(ns)};
        });
    }
    /// The bars of all figures that are there.
    [[nodiscard]] std::vector<bar> bars(std::initializer_list<named> wanted) const {
        std::vector<bar> all;
        for (const named& one : wanted) {
            if (const auto value = run_.find(one.name))
                all.push_back({std::string{one.label}, *value, one.label.starts_with("leat")});
        }
        return all;
    }
    [[nodiscard]] const run_record& run() const noexcept { return run_; }
    [[nodiscard]] std::vector<plot> take() { return std::move(plots_); }

private:
    [[nodiscard]] std::string next_id() const { return fmt::format("plot{}", plots_.size() + 1); }

    template <class Of, class Change>
    static std::vector<curve> lines_of(const Of& of,
                                       std::initializer_list<named> wanted,
                                       Change change) {
        std::vector<curve> curves;
        for (const named& one : wanted) {
            const auto found = of.find(one.name);
            if (found == of.end()) continue;
            curve line{std::string{one.label}, {}, lines};
            for (const auto& [from_x, from_y] : found->second) {
                const auto [x, y] = change(from_x, from_y);
                line.data += fmt::format("{} {}\n", x, y);
            }
            curves.push_back(std::move(line));
        }
        return curves;
    }

    const run_record& run_;
    std::vector<plot> plots_;
};

void add_hits(plots_builder& into) {
    into.add_bars("In memory: how much shorter leat's bars are than those of pread and mmap",
                  "Time of one request for 4 KiB, all of them in memory. The axis is logarithmic.",
                  {.bars = into.bars({{"hit.hot.ns", "leat, one hot page"},
                                      {"hit.sequential.ns", "leat, in order"},
                                      {"hit.zipf.ns", "leat, Zipf 0.99"},
                                      {"hit.uniform.ns", "leat, at random"},
                                      {"hit.copy.ns", "leat, at random, copied"},
                                      {"mmap.uniform.ns", "mmap, at random, copied"},
                                      {"pread.uniform.ns", "pread, at random"}}),
                   .axis = "time of a request, ns",
                   .logarithmic = true});
}

void add_streams(plots_builder& into) {
    into.add_bars("Streaming: leat should be as fast as the bare device",
                  "A cold file from end to end, four chunks in flight.",
                  {.bars = into.bars({{"scan.gbps", "leat, chunks"},
                                      {"scan.4k_gbps", "leat, 4 KiB slices"},
                                      {"crowd.gbps", "leat, 32 readers"},
                                      {"raw.gbps", "raw ring"},
                                      {"fio.gbps", "fio"}}),
                   .axis = "throughput, GB/s"});
}

void add_latencies(plots_builder& into) {
    into.add_lines("Not in memory: leat's lines should lie on those of the raw ring",
                   "Time to the first 4 KiB, and to the whole chunk behind them, one at a time on "
                   "an idle device.",
                   tails,
                   into.latencies({{"miss.first_byte", "leat, first 4 KiB"},
                                   {"raw4k", "raw ring, 4 KiB"},
                                   {"miss.chunk", "leat, whole chunk"},
                                   {"raw_chunk", "raw ring, chunk"}}));
    into.add_lines("Behind a scan: a small request waits for what the device has, and no longer",
                   "Time to the first 4 KiB while a scan has so many bytes in flight.", tails,
                   into.latencies({{"loaded.512k.first_byte", "leat, 512 KiB"},
                                   {"loaded_raw.512k.first_byte", "raw ring, 512 KiB"},
                                   {"loaded.1m.first_byte", "leat, 1 MiB"},
                                   {"loaded_raw.1m.first_byte", "raw ring, 1 MiB"},
                                   {"loaded.2m.first_byte", "leat, 2 MiB"},
                                   {"loaded_raw.2m.first_byte", "raw ring, 2 MiB"}}));
    into.add_lines("The device at the point that was asked for: how long its slowest reads take",
                   "Time of one read by a raw ring.", tails, into.latencies({{"device", "reads"}}));
}

void add_depths(plots_builder& into) {
    const std::string depth = "set logscale x 2\nset xlabel 'requests in flight'\n";
    into.add_lines("Throughput over depth: where a line goes flat, the device is full",
                   "A raw ring, by the size of its blocks.",
                   depth + "set yrange [0:*]\nset ylabel 'throughput, GB/s'\n",
                   into.series({{"device.4k.gbps", "4 KiB"},
                                {"device.64k.gbps", "64 KiB"},
                                {"device.512k.gbps", "512 KiB"},
                                {"device.2m.gbps", "2 MiB"},
                                {"device.10m.gbps", "10 MiB"}}));
    into.add_lines("Latency over depth: past the flat part each request more only waits",
                   "The median time of one read, by the size of the blocks.",
                   depth + "set logscale y\nset ylabel 'time of a request, us'\n",
                   into.series({{"device.4k.p50_us", "4 KiB"},
                                {"device.64k.p50_us", "64 KiB"},
                                {"device.512k.p50_us", "512 KiB"},
                                {"device.2m.p50_us", "2 MiB"},
                                {"device.10m.p50_us", "10 MiB"}}));
}

void add_buffers(plots_builder& into) {
    into.add_bars(
        "CPU per chunk: what huge pages and registered buffers save",
        "CPU time of a raw ring for one chunk, by the kind of buffer that it reads into.",
        {.bars = into.bars(
             {{"device.small_pages.cpu_us_per_chunk", "4 KiB pages"},
              {"device.small_pages_registered.cpu_us_per_chunk", "4 KiB pages, registered"},
              {"device.huge_pages.cpu_us_per_chunk", "huge pages"},
              {"device.huge_pages_registered.cpu_us_per_chunk", "huge pages, registered"}}),
         .axis = "CPU time of a chunk, us"});
}

void add_designs(plots_builder& into) {
    for (const auto& [order, title, caption] :
         {std::array{".hot.ns", "Designs, one hot page: how much longer others take than leat",
                     "Time of a client for 4 KiB of one chunk in memory that all clients ask for. "
                     "The axis is logarithmic."},
          std::array{".uniform.ns", "Designs, pages at random: what locks, copies and channels add",
                     "Time of a client for 4 KiB at random of all chunks in memory. The axis is "
                     "logarithmic."}}) {
        bar_plot plot{.bars = {}, .axis = "time of a request, ns", .logarithmic = true};
        for (const auto& [name, value] : into.run().figures) {
            constexpr std::string_view begin = "designs.";
            if (!name.starts_with(begin) || !name.ends_with(order)) continue;
            std::string label = name.substr(begin.size());
            label.resize(label.size() - std::string_view{order}.size());
            plot.bars.push_back({label, value, label == "leat"});
        }
        std::sort(plot.bars.begin(), plot.bars.end(),
                  [](const bar& a, const bar& b) { return a.value < b.value; });
        into.add_bars(title, caption, plot);
    }
}

void add_shards(plots_builder& into) {
    into.add_lines("Hits beside misses: the line should stay low far to the right",
                   "Time of hits from when each was due, beside one miss in 16 on the same shard.",
                   tails, into.latencies({{"mixed.hit", "hits"}}));
    into.add_lines("Scaling: both lines should rise alike with the cores",
                   "Hits a second of all shards together, over the number of shards that ask.",
                   "set yrange [0:*]\nset xtics 1\nset xlabel 'shards'\n"
                   "set ylabel 'million hits a second'\n",
                   into.series({{"remote.hot.ops_per_s", "one page for all"},
                                {"private.hot.ops_per_s", "a page each"}},
                               1e6));
    into.add_lines("Soak: resident memory should stay level", "While many tasks run under faults.",
                   "set yrange [0:*]\nset xlabel 'minutes'\nset ylabel 'resident MiB'\n",
                   into.series({{"soak.rss_mib", "this process"}}));
}

/// For each pattern a mark for leat, and one for another cache.
struct pattern_marks {
    curve leat;
    curve other;
    std::string names;  ///< for the axis
    unsigned count = 0;

    void add(std::string_view name, double of_leat, double of_other) {
        names += fmt::format("{}'{}' {}", count == 0 ? "" : ",", name, count);
        leat.data += fmt::format("{} {}\n", of_leat, count);
        other.data += fmt::format("{} {}\n", of_other, count);
        ++count;
    }
    [[nodiscard]] std::string settings() const {
        return fmt::format("set ytics noenhanced ({})\nset yrange [{}:-0.5]\n", names,
                           static_cast<double>(count) - 0.5);
    }
};

template <class Other>
pattern_marks marks_of(const run_record& run,
                       std::string_view figure,
                       std::string_view beside,
                       std::string_view other_name,
                       double scale,
                       Other other) {
    pattern_marks marks{{"leat", {}, "with points linetype 1"},
                        {std::string{other_name}, {}, "with points linetype 6"},
                        {}};
    constexpr std::string_view begin = "patterns.";
    for (const auto& [name, value] : run.figures) {
        if (!name.starts_with(begin) || !name.ends_with(figure)) continue;
        const std::string pattern = name.substr(0, name.size() - figure.size());
        if (const auto compared = run.find(pattern + std::string{beside}))
            marks.add(pattern.substr(begin.size()), scale * value, scale * other(value, *compared));
    }
    return marks;
}

void add_marks(plots_builder& into,
               const pattern_marks& marks,
               const char* title,
               const char* caption,
               const char* label,
               const char* range) {
    if (marks.count == 0) return;
    into.add_lines(title, caption,
                   fmt::format("set xlabel '{}'\nset ylabel 'pattern of requests'\n{}{}", label,
                               marks.settings(), range),
                   {marks.leat, marks.other}, pattern_plot_height);
}

void add_patterns(plots_builder& into) {
    add_marks(into,
              marks_of(into.run(), ".hits", ".hits_beyond_pages", "4 KiB pages used last", 100,
                       [](double own, double beyond) { return own - beyond; }),
              "Patterns: the farther right leat's mark, the fewer requests wait",
              "Requests that did not wait, by leat and by a cache of 4 KiB pages with as much "
              "memory.",
              "% of requests", "set xrange [0:100]\n");
    add_marks(into,
              marks_of(into.run(), ".device_s_per_gib", ".device_over_chunks", "whole chunks", 1,
                       [](double own, double over) { return over > 0 ? own / over : own; }),
              "Patterns: the farther left leat's mark, the less the device works",
              "Seconds that a device works for a GiB asked for, by leat and by a cache of whole "
              "chunks. The axis is logarithmic.",
              "device time of a GiB, s", "set logscale x\n");
}

}  // namespace

std::vector<plot> plots_of(const run_record& run) {
    plots_builder all{run};
    // Pairs of one height stand side by side.
    add_hits(all);
    add_streams(all);
    add_latencies(all);
    add_depths(all);
    add_shards(all);
    add_designs(all);
    add_patterns(all);
    add_buffers(all);
    return all.take();
}

}  // namespace leat::perf
