// The workload "patterns": what leat reads for which requests.
#include "patterns/patterns.hpp"

#include "patterns/pattern_outcome.hpp"

#include <string>

namespace leat::perf {

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

}  // namespace leat::perf
