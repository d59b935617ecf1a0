// A run, or two, as one HTML page.
#pragma once

#include <string>

namespace leat::perf {

/// The page for what --json wrote: a table, with the change from `older` if that is not empty, and
/// plots drawn by gnuplot. It asks nothing of any network. Throws for text that is none of
/// leat-bench's.
[[nodiscard]] std::string page_of(const std::string& newer, const std::string& older);

}  // namespace leat::perf
