// Medians, spreads, ratios, and which of them count.
#include "common/report.hpp"

#include "common/figure.hpp"
#include "common/statistics.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace leat::perf {

namespace {

std::string busy_while(const std::string& figure) {
    return fmt::format("other programs or the host kept the CPUs busy while {} was measured",
                       figure);
}

}  // namespace

void report::add(const std::string& name, double value) {
    const auto known = std::find_if(figures_.begin(), figures_.end(),
                                    [&](const figure& one) { return one.name == name; });
    figure& into = known != figures_.end() ? *known : figures_.emplace_back(figure{name, {}});
    into.samples.push_back({value, ++order_, false});
}

void report::compare(std::string name, std::string over, std::string under) {
    ratios_.push_back({std::move(name), std::move(over), std::move(under)});
}

void report::add_point(const std::string& name, double x, double y) {
    series_[name].emplace_back(x, y);
}

void report::add_latencies(const std::string& name, const histogram& ns) {
    add(name + ".p50_us", to_us(ns.percentile(50)));
    add(name + ".p99_us", to_us(ns.percentile(99)));
    latencies_.push_back({name, ++order_, ns});
}

std::map<std::string, histogram> report::histograms() const {
    std::map<std::string, histogram> all;
    for (const latencies& one : latencies_) all[one.name].add(one.ns);
    return all;
}

void report::note(const std::string& sentence) {
    if (std::find(notes_.begin(), notes_.end(), sentence) == notes_.end())
        notes_.push_back(sentence);
}

void report::disturb_since(std::uint64_t mark) noexcept {
    for (figure& one : figures_) {
        for (sample& taken : one.samples) taken.disturbed |= taken.order > mark;
    }
}

void report::forget_since(std::uint64_t mark) {
    for (figure& one : figures_) {
        std::erase_if(one.samples, [&](const sample& taken) { return taken.order > mark; });
    }
    std::erase_if(latencies_, [&](const latencies& one) { return one.order > mark; });
    std::erase_if(figures_, [](const figure& one) { return one.samples.empty(); });
}

report::summary report::summarize(const figure& of) {
    std::vector<double> all;
    std::vector<double> quiet;
    for (const sample& taken : of.samples) {
        all.push_back(taken.value);
        if (!taken.disturbed) quiet.push_back(taken.value);
    }
    const bool trusted = quiet.size() >= std::min(least_rounds, all.size());
    const std::vector<double>& values = trusted ? quiet : all;
    return {median(values), spread(values), values.size(), !trusted};
}

std::optional<report::summary> report::find(const std::string& name) const {
    for (const figure& one : figures_) {
        if (one.name == name) return summarize(one);
    }
    return std::nullopt;
}

std::optional<double> report::value_of(const ratio& of) const {
    const auto over = find(of.over);
    const auto under = find(of.under);
    if (!over || !under || under->median == 0 || !fault_of(of).empty()) return std::nullopt;
    return over->median / under->median;
}

std::string report::fault_of(const ratio& of) const {
    for (const std::string& name : {of.over, of.under}) {
        const auto found = find(name);
        if (!found) return {};
        if (found->disturbed) return busy_while(name);
        if (found->spread > widest_spread) {
            return fmt::format("the rounds of {} lie {:.0f} % apart", name, 100 * found->spread);
        }
    }
    return {};
}

std::string report::fault_of(const figure& of) {
    return summarize(of).disturbed ? busy_while(of.name) : std::string{};
}

bool report::has_void() const {
    return std::any_of(ratios_.begin(), ratios_.end(),
                       [&](const ratio& one) { return !fault_of(one).empty(); }) ||
           std::any_of(figures_.begin(), figures_.end(),
                       [](const figure& one) { return !fault_of(one).empty(); });
}

}  // namespace leat::perf
