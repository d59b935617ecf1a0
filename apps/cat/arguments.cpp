// The options of leat-cat, how they are parsed, and what is wrong with them.
#include "arguments.hpp"

#include "common/engine_arguments.hpp"
#include "common/program.hpp"
#include "common/record_argument.hpp"
#include "common/values.hpp"

#include <unistd.h>

#include <algorithm>

namespace leat::cat {

namespace {

constexpr std::uint64_t usual_memory = 256 * MiB;

constexpr const char* description =
    R"(Writes files to standard output. It reads them with io_uring, past the page cache and some
chunks ahead of what has been written, into a cache of bounded memory. Regular files and block
devices of any size will do. By default it uses one shard, which is not pinned to a CPU.)";

constexpr const char* examples =
    R"(  leat-cat film.mkv | sha256sum              the whole file, in 256 MiB of memory
  leat-cat --offset 1G --length 4K disk.img  4096 bytes from the middle of it
  leat-cat --memory 1G --shards 2 --stats /dev/sdb > copy.img
                                             a device, on two cores, and what that took
)";

// Only a machine with too much to do keeps these shards from their loops: no user's code runs
// there.
constexpr std::chrono::seconds stall{10};

void add_options(CLI::App& app, arguments& given) {
    apps::add_size(app, "--offset", given.offset, "Bytes to skip at the start of each FILE");
    apps::add_size(app, "--length", given.length, "Bytes to write of each FILE, at most")
        ->default_str("");
    app.add_flag("--stats{text}", given.stats,
                 "Print statistics to standard error, as text or as one JSON\nobject in one line")
        ->check(CLI::IsMember({"text", "json"}).description(""))
        ->disable_flag_override(false)
        ->type_name("[=json]");
    apps::add_record_argument(app, given.record);
    // An optional<bool> itself would be set to false where the flag is absent.
    app.add_flag_function(
        "--progress,!--no-progress", [&given](std::int64_t count) { given.progress = count > 0; },
        "Draw a progress bar on standard error, or do not; by default\nit is drawn if that is a "
        "terminal and standard output is not");
    app.add_option("FILE", given.files, "Regular files or block devices")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->required()
        ->type_name("");
}

/// One shard reads faster than most readers of a pipe; it is not pinned, so that several leat-cat
/// do not meet on one CPU.
void choose_shards(engine_options& engine) {
    if (engine.shards != 0 || !engine.cpus.empty()) return;
    engine.shards = 1;
    engine.pin = false;
}

}  // namespace

bool arguments::show_progress() const noexcept {
    return progress.value_or(::isatty(STDERR_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 0);
}

std::variant<arguments, apps::exit_code> parse_arguments(int argc, char** argv) {
    arguments given;
    given.engine.memory = usual_memory;
    given.engine.stall = stall;
    const auto app = apps::make_app(program_name, description, examples);
    add_options(*app, given);
    apps::add_engine_arguments(*app, given.engine);
    if (const auto ended = apps::parse(*app, argc, argv)) return *ended;
    if (std::find(given.files.begin(), given.files.end(), "-") != given.files.end()) {
        apps::complain(program_name,
                       "standard input (-) is not supported, since only regular files and block "
                       "devices can be read at any offset; a file of that name is ./-");
        return apps::exit_code::usage;
    }
    choose_shards(given.engine);
    if (app->count("--memory") == 0) {
        given.engine.memory = std::min(usual_memory, default_memory(given.engine.chunk_size));
    }
    return given;
}

}  // namespace leat::cat
