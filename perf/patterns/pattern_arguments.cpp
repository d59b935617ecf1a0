// The options of leat-bench patterns, how they are parsed, and which go together.
#include "patterns/pattern_arguments.hpp"

#include "common/engine_arguments.hpp"
#include "common/exit_code.hpp"
#include "common/values.hpp"

namespace leat::perf {

namespace {

constexpr const char* examples =
    "Examples:\n"
    "  leat-bench patterns                               every pattern, leat beside plain caches\n"
    "  leat-bench patterns --only mix,players --json mix.json\n"
    "  leat-bench patterns --only streams200 --memory 1G --chunk-size 1M\n"
    "  leat-bench patterns week.io.csv.zst               a trace, beside small and whole chunks\n"
    "  leat-bench patterns --chunk-sizes --requests 100000   how much does the size matter?\n"
    "\n";

/// What CLI11 does not see.
void check(const CLI::App& app, pattern_arguments& given) {
    given.chosen = true;
    for (const std::string& name : given.only) {
        if (find_pattern(name) == nullptr) {
            throw CLI::ValidationError(
                "--only", '"' + name + "\" is no pattern: there are " + names_of_patterns());
        }
    }
    if (!given.chunk_sizes) return;
    if (app.count("--chunk-size") > 0) {
        throw CLI::ValidationError("--chunk-sizes",
                                   "it tries different sizes itself: without --chunk-size");
    }
}

}  // namespace

void add_patterns(CLI::App& app, pattern_arguments& into) {
    CLI::App* const patterns = app.add_subcommand(
        "patterns", "Serve access patterns by leat, over a made-up source, and count what is read");
    patterns->footer(std::string{examples} + apps::units_text() + '\n' + apps::exit_code_table());
    apps::add_engine_arguments(*patterns, into.how.engine);
    patterns->option_defaults()->group("Patterns");
    patterns
        ->add_option("trace", into.traces,
                     "Traces to serve instead, as replay reads them, but for .ids")
        ->type_name("TRACE");
    patterns->add_option("--only", into.only, "These patterns; see --list")
        ->delimiter(',')
        ->type_name("NAME,");
    patterns->add_flag("--list", into.list, "Tell what each pattern is, and end");
    patterns->add_option("--requests", into.how.requests, "Requests of each, of which half count")
        ->check(CLI::Range(2, 100'000'000).description(""))
        ->type_name("N");
    patterns->add_flag("--quick", into.how.quick, "Fewer requests where a pattern takes seconds");
    patterns->add_flag("--chunk-sizes", into.chunk_sizes,
                       "Serve each by leat alone, with chunks of 64 KiB to 1 GiB, and\n"
                       "compare those");
    patterns->add_option("--json", into.json, "Write every figure to this file, too")
        ->type_name("FILE");
    patterns->callback([patterns, &into] { check(*patterns, into); });
}

}  // namespace leat::perf
