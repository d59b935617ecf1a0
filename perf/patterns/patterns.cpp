// The workload "patterns": what leat reads for which requests.
#include "patterns/patterns.hpp"

#include "patterns/pattern_outcome.hpp"

#include <array>
#include <string>

namespace leat::perf {

namespace {

void run_patterns_quickly(bench& with) {
    for (const pattern& one : patterns()) {
        with.progress("patterns: " + std::string{one.name});
        pattern_options how{.engine = with.engine_with(1, one.memory)};
        how.quick = true;
        const pattern_outcome found = compare_pattern(trace_of(one, how), one, how);
        if (!found.failure.empty())
            with.fail("patterns: " + found.name + " was not served: " + found.failure);
        for (const auto& [name, value] : found.figures()) with.report().add(name, value);
    }
    with.progress("");
}

constexpr std::array definitions{
    figure_definition{"patterns.*.hits",
                      "requests that did not wait, over all: what a cache is for", true,
                      preference::more},
    figure_definition{"patterns.*.hits_beyond_pages",
                      "hits less those of a cache of the 4 KiB pages used last, in as much memory: "
                      "above 0 if leat keeps what is worth more",
                      true, preference::more},
    figure_definition{"patterns.*.read_per_served",
                      "bytes read over bytes asked for: below 1 where memory saves reads, above it "
                      "where too much is read",
                      true, preference::less},
    figure_definition{"patterns.*.mean_read_kib",
                      "KiB of a read, on the average: devices are fast at large ones", true,
                      preference::more},
    figure_definition{"patterns.*.device_s_per_gib",
                      "seconds that a device of 85 us a read and 2.4 GB/s works for a GiB asked "
                      "for: reads and their size in one number",
                      true, preference::less},
    figure_definition{"patterns.*.device_over_chunks",
                      "device time over that of a cache of whole chunks, in as much memory: below "
                      "1 if small pieces pay",
                      true, preference::less},
    figure_definition{"patterns.*.device_over_pure",
                      "a trace's device time over the better of 64 KiB pieces and whole chunks: 1 "
                      "if leat finds the right size by itself",
                      true, preference::less},
    figure_definition{
        "patterns.*.{64k,1m,10m,64m,1g}.device_s_per_gib",
        "device time of a GiB asked for with chunks of that size: whether the size matters", true,
        preference::less},
    figure_definition{"patterns.*.worst_chunk_size",
                      "the device time with the worst size of chunks over that with 10 MiB: near 1 "
                      "if no size is wrong",
                      true, preference::less},
};

}  // namespace

constexpr workload patterns_workload{
    "patterns", "what is read for which requests; more by the command of that name", definitions,
    &run_patterns_quickly};

}  // namespace leat::perf
