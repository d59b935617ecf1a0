// Chooses the patterns, and prints each as it ends.
#include "patterns/pattern_command.hpp"

#include "common/output.hpp"
#include "patterns/chunk_size_outcome.hpp"
#include "patterns/pattern_output.hpp"

#include <boost/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

namespace leat::perf {

namespace {

using apps::exit_code;

void list() {
    for (const pattern& one : patterns()) fmt::print("{:<12} {}\n", one.name, one.what);
}

/// On the terminal, until something is printed.
void progress(std::string_view name) {
    static const bool terminal = ::isatty(STDERR_FILENO) == 1;
    if (!terminal) return;
    fmt::print(stderr, "\r{}\x1b[K", name);
    std::fflush(stderr);
}

/// Calls visit(requests, pattern) for each that was asked for.
template <class Visit>
void each_chosen(const pattern_arguments& given, Visit visit) {
    const auto named = [&](const pattern& one) {
        return std::find(given.only.begin(), given.only.end(), one.name) != given.only.end();
    };
    for (const pattern& one : patterns()) {
        if (!named(one) && !(given.only.empty() && given.traces.empty())) continue;
        progress(one.name);
        visit(trace_of(one, given.how), one);
    }
    for (const std::string& path : given.traces) {
        progress(path);
        visit(trace_of(path, given.how), served_trace);
    }
}

void print(const std::string& text) {
    progress("");
    fmt::print("{}", text);
    std::fflush(stdout);
}

/// What a run has found.
struct findings {
    pattern_figures figures;
    boost::json::object json;  ///< what it has besides the figures
    bool all_served = true;

    void add(pattern_figures more) {
        for (auto& figure : more) figures.push_back(std::move(figure));
    }
    /// A figure over all of which it is the worst.
    void add_worst(const std::string& name, double value) {
        if (value > 0) figures.emplace_back(name, value);
    }
};

findings compare_all(const pattern_arguments& given) {
    findings found;
    std::vector<pattern_outcome> outcomes;
    double worst_trace = 0;
    print(pattern_header());
    each_chosen(given, [&](const trace& of, const pattern& which) {
        const pattern_outcome& one = outcomes.emplace_back(compare_pattern(of, which, given.how));
        print(rows_of(one));
        found.add(one.figures());
        found.all_served = found.all_served && one.failure.empty();
        if (one.of_trace) worst_trace = std::max(worst_trace, one.device_over_best());
    });
    found.add_worst(figure_name("traces", "device_over_pure"), worst_trace);
    found.json["patterns"] = json_of(outcomes);
    return found;
}

findings compare_chunk_sizes(const pattern_arguments& given) {
    findings found;
    boost::json::array all;
    double worst = 0;
    std::string failures;
    print(chunk_size_header());
    each_chosen(given, [&](const trace& of, const pattern& which) {
        const chunk_size_outcome one = try_chunk_sizes(of, which, given.how);
        print(row_of(one));
        failures += failures_of(one);
        worst = std::max(worst, one.worst_ratio());
        found.add(one.figures());
        all.push_back(json_of(one));
    });
    print(failures);
    found.all_served = failures.empty();
    found.add_worst(figure_name("all", "worst_chunk_size"), worst);
    found.json["chunk_sizes"] = std::move(all);
    return found;
}

}  // namespace

apps::exit_code run_patterns(const pattern_arguments& given) {
    if (given.list) {
        list();
        return exit_code::success;
    }
    check_chunk_size(given.how.engine.chunk_size);
    findings found = given.chunk_sizes ? compare_chunk_sizes(given) : compare_all(given);
    const std::string judged = goals_text_of(found.figures);
    if (!judged.empty()) fmt::print("\n{}", judged);
    if (!given.json.empty()) {
        boost::json::object json = json_of(found.figures, given.how);
        for (const auto& part : found.json) json[part.key()] = part.value();
        write_file(given.json, boost::json::serialize(json) + '\n');
    }
    return found.all_served ? exit_code::success : exit_code::several;
}

}  // namespace leat::perf
