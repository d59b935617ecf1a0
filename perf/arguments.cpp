// The options of leat-bench, how they are parsed, and what is wrong with them.
#include "arguments.hpp"

#include "common/engine_arguments.hpp"
#include "common/values.hpp"
#include "common/workload.hpp"

namespace leat::perf {

namespace {

// Hits, misses and a scan then take less than half a minute.
constexpr double quick_seconds = 0.08;

void add_requests(CLI::App& app, bench_options& options) {
    app.option_defaults()->group("Requests, as in fio's t/io_uring");
    app.add_option("-d,--depth", options.depth, "Requests in flight")
        ->check(CLI::Range(1, 4096).description(""))
        ->type_name("N");
    apps::add_size(app, "-b,--block-size", options.block, "Bytes of a request");
    app.add_option("-B,--fixed-buffers", options.fixed_buffers,
                   "Whether raw rings read into registered buffers")
        ->type_name("0|1")
        ->capture_default_str();
    app.add_option("-R,--random", options.random, "Whether raw rings read at random offsets")
        ->type_name("0|1")
        ->capture_default_str();
    app.add_option("-n,--num-threads", options.threads, "Threads of workloads that have their own")
        ->check(CLI::Range(1, 1024).description(""))
        ->type_name("N");
    app.add_option("-r,--seconds", options.seconds, "Seconds of one measurement")
        ->check(CLI::Range(0.01, 3600.0).description(""))
        ->type_name("SECONDS");
}

void add_run(CLI::App& app, arguments& into) {
    app.option_defaults()->group("Run");
    app.add_flag("--list", into.list, "List the workloads and end");
    app.add_option("--file", into.options.file,
                   "File or device to read; by default a sample, made once beside the program")
        ->type_name("FILE");
    apps::add_size(app, "--size", into.options.size, "Bytes of the file to use");
    app.add_option("--rounds", into.options.rounds, "Rounds in which leat and its rivals alternate")
        ->check(CLI::Range(1, 1000).description(""))
        ->type_name("N")
        ->capture_default_str();
    app.add_option("--minutes", into.options.minutes, "Minutes that `soak` takes")
        ->check(CLI::Range(0.01, 1e6).description(""))
        ->type_name("N")
        ->capture_default_str();
    app.add_option("--against", into.options.against, "Rivals to measure beside leat")
        ->check(CLI::IsMember({"fio", "pread", "mmap", "asio", "none"}).description(""))
        ->delimiter(',')
        ->type_name("fio,pread,mmap,asio");
    app.add_option("--json", into.options.json, "Write the figures to this file, too")
        ->type_name("FILE");
    app.add_option("--create", into.create, "Make a file of --size incompressible bytes and end")
        ->type_name("PATH");
}

}  // namespace

void add_arguments(CLI::App& app, arguments& into) {
    app.add_option("what", into.words, "Workloads (see --list), `quick` (the default), `all`; FILE")
        ->type_name("WORKLOAD... FILE");
    add_run(app, into);
    add_requests(app, into.options);
    apps::add_engine_arguments(app, into.options.engine);
    CLI::App* const goals = app.add_subcommand("goals", "Say which goals a run's figures miss");
    goals->add_option("json", into.goals, "What --json has written")
        ->required()
        ->type_name("F.json");
    CLI::App* const report = app.add_subcommand("report", "Write a run as an HTML page");
    report->add_option("json", into.newer, "What --json has written")
        ->required()
        ->type_name("F.json");
    report->add_option("older", into.older, "An older run, to show the change")
        ->type_name("G.json");
    report->add_option("-o,--output", into.page, "The page")->required()->type_name("FILE");
    add_replay(app, into.replay);
    add_patterns(app, into.patterns);
}

std::vector<std::string> sort_words(arguments& from) {
    std::vector<std::string> names;
    for (const std::string& word : from.words) {
        if (word == "quick") {
            if (from.options.seconds == 0) from.options.seconds = quick_seconds;
            names.insert(names.end(), {"hit", "miss", "scan"});
        } else if (word == "all") {
            for (const workload* const one : workloads()) {
                if (one->in_all) names.emplace_back(one->name);
            }
        } else if (find_workload(word) != nullptr) {
            names.push_back(word);
        } else if (from.options.file.empty()) {
            from.options.file = word;
        } else {
            throw CLI::ValidationError("WORKLOAD", '"' + word + "\" is no workload: see --list");
        }
    }
    if (names.empty()) {
        from.words = {"quick"};
        return sort_words(from);
    }
    return names;
}

}  // namespace leat::perf
