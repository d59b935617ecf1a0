// The options of leat-bench replay, how they are parsed, and which go together.
#include "replay/replay_arguments.hpp"

#include "common/engine_arguments.hpp"
#include "common/exit_code.hpp"
#include "common/values.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>

namespace leat::perf {

namespace {

constexpr const char* examples =
    "Examples:\n"
    "  leat-bench replay week.io.csv.zst                  how often would requests wait?\n"
    "  leat-bench replay week.io.csv.zst --policy all     would they with another policy?\n"
    "  leat-bench replay week.io.csv --sweep --plot week.svg     with more memory, or less?\n"
    "  leat-bench replay week.io.csv --recommend          which chunks, and how much memory?\n"
    "  leat-bench replay week.io.csv --split 4K --count second-half\n"
    "  leat-bench replay requests.rec --recommend         the same for what leat has recorded\n"
    "  leat-bench replay web.ids --policy lru,arc --capacity 1000,10000\n"
    "  leat-bench replay --workload streams:100 --memory 2G --chunk-size 1M\n"
    "  leat-bench replay week.io.csv --memory 2G --curve  what does a cache tell of other sizes?\n"
    "  leat-bench replay --workload mix --real /dev/nvme0n1 --clients 32\n"
    "\n"
    "Traces:\n"
    "  a recording that leat::recording or --record has made, whatever its name is\n"
    "  .ids     the id of an object a line; each request is for one, and each is a chunk\n"
    "  .io.csv  the header time,object,offset,size,op, then a request a line: seconds, the id of\n"
    "           a file, bytes; offsets and sizes in any multiple of a byte\n"
    "  .zst behind either: compressed by zstd; a recording may be, too\n"
    "\n";

std::string policy_names() {
    std::string all;
    for (const cache_policy one : cache_policies) all += std::string{name_of(one)} + ", ";
    return all;
}

void read_policies(const std::vector<std::string>& names, std::vector<cache_policy>& into) {
    into.clear();
    for (const std::string& name : names) {
        if (name == "all") {
            into.assign(cache_policies.begin(), cache_policies.end());
            continue;
        }
        const auto policy = parse_cache_policy(name);
        if (!policy) {
            throw CLI::ValidationError("--policy", '"' + name + "\" is no policy: there are " +
                                                       policy_names() + "and all");
        }
        if (std::find(into.begin(), into.end(), *policy) == into.end()) into.push_back(*policy);
    }
}

/// Bytes a second: rates of devices are told in powers of 1000.
double read_rate(const std::string& text) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data(), end, value);
    std::string_view unit{stopped, static_cast<std::size_t>(end - stopped)};
    if (unit.ends_with('B')) unit.remove_suffix(1);
    double scale = 0;
    if (unit.empty()) scale = 1;
    if (unit == "K") scale = 1e3;
    if (unit == "M") scale = 1e6;
    if (unit == "G") scale = 1e9;
    if (failure != std::errc{} || scale == 0 || !(value > 0) || value > 1e15) {
        throw CLI::ValidationError(
            "--device-rate",
            '"' + text + "\" is not a rate; expected bytes a second, such as 2.4G or 500M");
    }
    return value * scale;
}

/// The names of made-up workloads on two lines.
std::string workload_help() {
    std::string names{made_up_names};
    names[names.find(" smallfiles")] = '\n';
    return "Make the requests up:\n" + names;
}

void add_what(CLI::App& app, replay_arguments& into) {
    CLI::Option* const file =
        app.add_option("trace", into.trace, "The requests: a file as told below")
            ->type_name("TRACE");
    CLI::Option* const workload =
        app.add_option("--workload", into.made_up.workload, workload_help())
            ->type_name("NAME")
            ->excludes(file);
    app.add_option("--seed", into.made_up.seed, "Other requests of the same workload")
        ->type_name("N")
        ->capture_default_str()
        ->needs(workload);
    app.add_option("--requests", into.made_up.requests, "How many to make up")
        ->check(CLI::Range(1, 100'000'000).description(""))
        ->type_name("N")
        ->needs(workload);
    apps::add_size(app, "--split", into.split,
                   "Cut each request into ones of at most so many bytes, within a chunk");
    app.add_option_function<std::string>(
           "--count", [&into](const std::string& part) { into.second_half = part != "all"; },
           "Which requests to count; memory fills during the first half")
        ->check(CLI::IsMember({"all", "second-half"}).description(""))
        ->type_name("all|second-half")
        ->default_str("all");
}

/// Several in place of the one that an engine takes.
void add_policies(CLI::App& app, replay_arguments& into) {
    app.remove_option(app.get_option("--policy"));
    app.add_option_function<std::vector<std::string>>(
           "--policy",
           [&into](const std::vector<std::string>& names) { read_policies(names, into.policies); },
           "What is let go, by default s3fifo-e, and all in a sweep:\n" + policy_names() + "or all")
        ->delimiter(',')
        ->type_name("NAME,...");
}

void add_cache(CLI::App& app, replay_arguments& into) {
    app.add_option("--capacity", into.capacities,
                   "Memory in chunks, or in objects of an .ids trace")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 32).description(""))
        ->delimiter(',')
        ->type_name("N,...");
    app.add_option_function<std::string>(
           "--read-time",
           [&into](const std::string& text) {
               into.device.read_seconds =
                   std::chrono::duration<double>(apps::parse_time("--read-time", text)).count();
           },
           "What the device takes for each read, besides the bytes")
        ->type_name("TIME")
        ->default_str("85us");
    app.add_option_function<std::string>(
           "--device-rate",
           [&into](const std::string& text) { into.device.bytes_per_second = read_rate(text); },
           "Bytes that it reads in a second; K, M, G are powers of 1000")
        ->type_name("RATE")
        ->default_str("2.4G");
}

void add_results(CLI::App& app, replay_arguments& into) {
    CLI::Option* const sweep = app.add_flag(
        "--sweep", into.sweep, "From little memory to what holds all that is asked for");
    app.add_option("--points", into.points, "Amounts of memory in a sweep")
        ->check(CLI::Range(2, 1000).description(""))
        ->type_name("N")
        ->capture_default_str()
        ->needs(sweep);
    app.add_option("--plot", into.plot, "Draw the sweep, by gnuplot")
        ->check([](const std::string& path) {
            const bool known = path.ends_with(".svg") || path.ends_with(".png");
            return known ? std::string{} : '"' + path + "\" is to end in .svg or .png";
        })
        ->type_name("FILE.svg|.png")
        ->needs(sweep);
    app.add_flag("--recommend", into.recommend,
                 "Try sizes of chunks and memory, and name the best");
    app.add_flag("--curve", into.curve,
                 "Compare what the cache estimates of half the memory, twice and four\n"
                 "times while it runs with what it does with them");
    app.add_option("--json", into.json, "Write every figure to this file, too")->type_name("FILE");
}

void add_real(CLI::App& app, replay_arguments& into) {
    CLI::Option* const real =
        app.add_option("--real", into.real,
                       "Serve the requests by an engine that reads this file or device")
            ->type_name("FILE");
    app.add_option("--clients", into.clients, "Coroutines that take the requests in turn")
        ->check(CLI::Range(1, 100'000).description(""))
        ->type_name("N")
        ->capture_default_str()
        ->needs(real);
    for (const char* other : {"--sweep", "--recommend"}) real->excludes(app.get_option(other));
    app.get_option("--memory")->excludes(app.get_option("--capacity"));
    for (CLI::Option* const option : app.get_options()) {
        const bool simulated = option->check_lname("memory") || option->check_lname("chunk-size");
        if (option->get_group() == "Engine" && !simulated) option->needs(real);
    }
}

/// What CLI11 does not see.
void check(const CLI::App& app, replay_arguments& given) {
    given.chosen = true;
    if (given.trace.empty() && given.made_up.workload.empty())
        throw CLI::ValidationError("replay", "a trace is needed, or --workload");
    if (!given.real.empty() && (given.policies.size() > 1 || given.capacities.size() > 1))
        throw CLI::ValidationError("--real", "one policy and one capacity at a time");
    for (const char* other : {"--sweep", "--recommend", "--json"}) {
        if (given.curve && app.count(other) > 0)
            throw CLI::ValidationError("--curve", std::string{"without "} + other);
    }
    const auto without = [&app](const char* chooser, const char* other) {
        if (app.count(other) == 0) return;
        throw CLI::ValidationError(
            chooser, "it tries different values itself: without " + std::string{other});
    };
    for (const char* memory : {"--memory", "--capacity"}) {
        if (given.sweep) without("--sweep", memory);
        if (given.recommend) without("--recommend", memory);
    }
    if (given.recommend && !given.sweep) without("--recommend", "--chunk-size");
    if (given.recommend && !given.sweep && given.policies.size() > 1)
        throw CLI::ValidationError("--recommend", "one policy at a time");
    for (const char* name : {"--memory", "--chunk-size", "--split", "--recommend"}) {
        if (app.count(name) > 0) given.sized = name;
    }
}

}  // namespace

void add_replay(CLI::App& app, replay_arguments& into) {
    CLI::App* const replay = app.add_subcommand(
        "replay", "Serve a trace of requests from a simulated cache, and count what waits");
    replay->footer(std::string{examples} + apps::units_text() + '\n' + apps::exit_code_table());
    into.engine.memory = 512 * MiB;
    apps::add_engine_arguments(*replay, into.engine);
    replay->option_defaults()->group("Requests");
    add_what(*replay, into);
    replay->option_defaults()->group("Cache and device");
    add_cache(*replay, into);
    replay->option_defaults()->group("Results");
    add_results(*replay, into);
    replay->option_defaults()->group("For real");
    add_real(*replay, into);
    replay->option_defaults()->group("Cache and device");
    add_policies(*replay, into);
    replay->callback([replay, &into] { check(*replay, into); });
}

}  // namespace leat::perf
