// Chooses what of a run is drawn, and how.
#include "common/plots.hpp"

#include "common/gnuplot.hpp"

#include <boost/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <cstdlib>
#include <utility>

namespace leat::perf {

namespace {

const boost::json::object& part(const boost::json::object& run, const char* name) {
    return run.at(name).as_object();
}

plot titled(std::string title,
            const std::string& settings,
            const std::vector<curve>& curves,
            const std::string& style) {
    return {std::move(title), draw(picture_kind::svg, settings, curves, style)};
}

// The share of requests that took longer, so that the tails show.
curve latency_curve(const std::string& name, const boost::json::object& histogram) {
    curve result{name, {}};
    for (const auto& [percent, ns] : histogram.at("percentile").as_object()) {
        const double above = 100 - std::strtod(std::string{percent}.c_str(), nullptr);
        result.data += fmt::format("{} {}\n", above, ns.to_number<double>() / 1e3);
    }
    return result;
}

curve points_curve(const std::string& name, const boost::json::array& points) {
    curve result{name, {}};
    for (const auto& point : points) {
        result.data += fmt::format("{} {}\n", point.as_array().at(0).to_number<double>(),
                                   point.as_array().at(1).to_number<double>());
    }
    return result;
}

void add_latencies(const boost::json::object& run, std::vector<plot>& plots) {
    std::vector<curve> curves;
    for (const auto& [name, histogram] : part(run, "histograms"))
        curves.push_back(latency_curve(std::string{name}, histogram.as_object()));
    if (curves.empty()) return;
    plots.push_back(titled("Latency distributions",
                           "set logscale xy\nset xrange [99:0.01] reverse\n"
                           "set xlabel '% of requests that took longer'\nset ylabel 'us'\n",
                           curves, "with linespoints pointtype 7 pointsize 0.4"));
}

/// All series whose names begin and end so.
void add_series(const boost::json::object& run,
                std::vector<plot>& plots,
                const char* title,
                const std::vector<std::pair<std::string, std::string>>& names,
                const std::string& settings) {
    std::vector<curve> curves;
    for (const auto& [name, points] : part(run, "series")) {
        for (const auto& [begin, end] : names) {
            if (name.starts_with(begin) && name.ends_with(end))
                curves.push_back(points_curve(std::string{name}, points.as_array()));
        }
    }
    if (curves.empty()) return;
    plots.push_back(titled(title, settings, curves, "with linespoints pointtype 7 pointsize 0.6"));
}

/// A bar for each figure whose name begins and ends so.
void add_bars(const boost::json::object& run,
              std::vector<plot>& plots,
              const char* title,
              const std::string& begin,
              const std::string& end,
              const std::string& settings) {
    curve bars;
    for (const auto& [name, value] : part(run, "figures")) {
        if (!name.starts_with(begin) || !name.ends_with(end)) continue;
        const std::string_view whole{name};
        const auto label = whole.substr(begin.size(), whole.size() - begin.size() - end.size());
        bars.data += fmt::format("\"{}\" {}\n", label, value.to_number<double>());
    }
    if (bars.data.empty()) return;
    bars.name = begin + '*' + end;
    plots.push_back(titled(title,
                           "set style fill solid 0.7\nset boxwidth 0.6\n"
                           "set xtics rotate by -30 noenhanced\nset key off\n" +
                               settings,
                           {bars}, "using 0:2:xtic(1) with boxes linecolor rgb '#33658a'"));
}

}  // namespace

std::vector<plot> plots_of(const boost::json::object& run) {
    std::vector<plot> plots;
    add_latencies(run, plots);
    add_series(run, plots, "Throughput over depth, raw ring", {{"device.", ".gbps"}},
               "set logscale x 2\nset yrange [0:*]\nset xlabel 'requests in flight'\n"
               "set ylabel 'GB/s'\n");
    add_bars(run, plots, "CPU per chunk by kind of buffer", "device.", ".cpu_us_per_chunk",
             "set yrange [0:*]\nset ylabel 'us per chunk'\n");
    add_bars(run, plots, "Designs: one hot chunk", "designs.", ".hot.ns",
             "set logscale y\nset ylabel 'ns per request'\n");
    add_bars(run, plots, "Designs: uniform", "designs.", ".uniform.ns",
             "set logscale y\nset ylabel 'ns per request'\n");
    add_series(
        run, plots, "Scaling over shards", {{"remote.", ".ops_per_s"}, {"private.", ".ops_per_s"}},
        "set yrange [0:*]\nset xtics 1\nset xlabel 'shards'\nset ylabel 'hits per second'\n");
    return plots;
}

}  // namespace leat::perf
