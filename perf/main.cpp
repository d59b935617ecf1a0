// leat-bench: measures leat beside its rivals.
#include "arguments.hpp"
#include "common/bench.hpp"
#include "common/exit_code.hpp"
#include "common/goals.hpp"
#include "common/output.hpp"
#include "common/page.hpp"
#include "common/program.hpp"
#include "common/workload.hpp"
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
    for (const workload& one : workloads())
        fmt::print("{:<10} {}\n{:<10} {}\n", one.name, one.measures, "", one.figures);
    fmt::print("{:<10} hit, miss and scan\n{:<10} everything but soak\n", "quick", "all");
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
    const goals_outcome outcome = check_goals(read_file(path));
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
    if (!given.options.json.empty()) {
        write_file(given.options.json,
                   boost::json::serialize(json_of(run.report(), given.options, machine)) + '\n');
    }
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
        const std::string older = given.older.empty() ? std::string{} : read_file(given.older);
        write_file(given.page, page_of(read_file(given.newer), older));
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
