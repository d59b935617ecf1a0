// The plots of a run, drawn by gnuplot.
#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace leat::perf {

struct plot {
    std::string title;
    std::string svg;  ///< empty if gnuplot could not draw it
};

/// Those for which the run (what --json wrote) has figures.
[[nodiscard]] std::vector<plot> plots_of(const boost::json::object& run);

}  // namespace leat::perf
