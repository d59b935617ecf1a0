// The plots of a run, drawn by gnuplot.
#pragma once

#include "common/run_record.hpp"

#include <string>
#include <vector>

namespace leat::perf {

struct plot {
    std::string title;    ///< says what to see
    std::string caption;  ///< says what was measured
    std::string svg;      ///< an element for a page; empty if gnuplot could not draw it
};

/// Those for which the run has figures, in the order in which a page shows them.
[[nodiscard]] std::vector<plot> plots_of(const run_record& run);

}  // namespace leat::perf
