// leat-bench: measures leat beside its rivals.
#include "arguments.hpp"
#include "common/bench.hpp"
#include "common/exit_code.hpp"
#include "common/goals.hpp"
#include "common/output.hpp"
#include "common/page.hpp"
#include "common/program.hpp"
#include "common/run_record.hpp"
#include "common/verdict.hpp"
#include "common/workload.hpp"
#include "common/wrapped.hpp"
#include "patterns/pattern_command.hpp"
#include "replay/replay_command.hpp"

#include <boost/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

namespace {

using leat::apps::exit_code;
using namespace leat::perf;

constexpr const char* program = "leat-bench";
constexpr std::uint64_t default_size = 2 * leat::GiB;

exit_code list() {
    for (const workload* const one : workloads()) {
        fmt::print("{}\n", wrapped(fmt::format("{}: {}", one->name, one->measures), 4));
        for (const figure_definition& figure : one->figures) {
            fmt::print("    {}\n{}\n", figure.names,
                       wrapped("        " + std::string{figure.meaning}, 8));
        }
        fmt::print("\n");
    }
    fmt::print("quick: hit, miss and scan\nall: everything but soak\n");
    return exit_code::success;
}

std::string read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    if (!file) {
        throw boost::system::system_error(
            boost::system::error_code(ENOENT, boost::system::system_category()), path);
    }
    return {std::istreambuf_iterator<char>{file}, {}};
}

exit_code goals_of(const std::string& path) {
    const goals_outcome outcome = check_goals(parse_run(read_file(path)));
    fmt::print("{}", outcome.text);
    return outcome.all_reached ? exit_code::success : exit_code::several;
}

target_file target_of(bench_options& options) {
    const bool given = !options.file.empty();
    if (!given && options.size == 0) options.size = default_size;
    target_file target = given ? look_at(options.file, options.size) : sample_file(options.size);
    // A whole disk is more than a run can read.
    target.size = std::min(target.size, options.size != 0 ? options.size : default_size);
    options.file = target.path;
    options.size = target.size;
    return target;
}

exit_code measure(arguments& given) {
    const std::vector<std::string> names = sort_words(given);
    const target_file target = target_of(given.options);
    machine_description machine = describe_machine(target.path);
    bench run{given.options, target};
    if (target.on_tmpfs) run.report().note(target.path + " lies on a tmpfs: no disk is measured");
    for (const std::string& name : names) find_workload(name)->run(run);
    for (const auto& property : run.properties()) machine.push_back(property);
    for (const auto& [name, value] : machine) fmt::print("{}: {}\n", name, value);
    fmt::print("file: {}, {}\n\n", target.path, leat::format_size(target.size));
    fmt::print("{}", table_of(run.report()));
    const std::string json =
        boost::json::serialize(json_of(run.report(), given.options, machine)) + '\n';
    if (!given.options.json.empty()) write_file(given.options.json, json);
    fmt::print("\n{}\n", wrapped(verdict_of(parse_run(json))));
    for (const std::string& sentence : run.failures()) leat::apps::complain(program, sentence);
    if (!run.failures().empty()) return exit_code::several;
    return run.report().has_void() ? exit_code::void_result : exit_code::success;
}

exit_code run(arguments& given) {
    if (given.list) return list();
    if (given.replay.chosen) {
        run_replay(given.replay);
        return exit_code::success;
    }
    if (given.patterns.chosen) return run_patterns(given.patterns);
    if (!given.goals.empty()) return goals_of(given.goals);
    if (!given.newer.empty()) {
        const run_record newer = parse_run(read_file(given.newer));
        write_file(given.page, given.older.empty()
                                   ? page_of(newer)
                                   : page_of(newer, parse_run(read_file(given.older))));
        return exit_code::success;
    }
    if (!given.create.empty()) {
        create_file(given.create, given.options.size != 0 ? given.options.size : default_size);
        return exit_code::success;
    }
    return measure(given);
}

}  // namespace

int main(int argc, char** argv) {
    arguments given;
    const auto app = leat::apps::make_app(
        program,
        "Measures leat beside its rivals, in alternating rounds, and reads only: a device is safe.",
        "  leat-bench quick                      hits, misses and a scan, on a sample\n"
        "  leat-bench scan /dev/nvme0n1          a whole device is read, never written\n"
        "  leat-bench all --json all.json        everything, for programs\n"
        "  leat-bench soak --minutes 600         many tasks under faults; what is left?\n"
        "  leat-bench goals all.json             what falls short of the goals\n"
        "  leat-bench report all.json -o a.html  a page with plots\n"
        "  leat-bench replay week.io.csv --policy all  what would wait, and with which policy?\n"
        "  leat-bench patterns                   what does leat read for which requests?\n");
    add_arguments(*app, given);
    exit_code code = exit_code::success;
    if (const auto ended = leat::apps::parse(*app, argc, argv)) return static_cast<int>(*ended);
    try {
        code = run(given);
    } catch (const CLI::ValidationError& wrong) {
        leat::apps::complain(program, wrong.what());
        code = exit_code::usage;
    } catch (...) {
        code = leat::apps::fail(program, std::current_exception());
    }
    return static_cast<int>(code);
}
