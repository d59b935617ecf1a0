// What a pattern comes to with leat, and with the plain caches beside it.
#pragma once

#include "patterns/pattern.hpp"
#include "replay/replay_figures.hpp"
#include "replay/trace.hpp"

#include <leat/engine/options.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leat::perf {

/// How a pattern is to be run other than its table says.
struct pattern_options {
    engine_options engine;       ///< memory 0: the pattern's
    std::uint64_t requests = 0;  ///< 0: the pattern's
    bool quick = false;          ///< its fewer ones
};

/// The value of each by its name, "patterns.NAME.hits" and so on.
using pattern_figures = std::vector<std::pair<std::string, double>>;

/// One of those that are compared.
struct pattern_side {
    std::string name;
    replay_figures found;
    double hits = 0;  ///< of the requests, those that did not wait
};

struct pattern_outcome {
    std::string name;
    bool of_trace = false;
    std::uint64_t memory = 0;
    std::uint64_t chunk_size = 0;
    std::vector<pattern_side> sides;  ///< leat, what keeps little pieces, what keeps whole chunks
    std::string failure;              ///< leat could not serve it: there are no sides

    /// Leat's device time over that of the chunks, or of the better of a trace's pure forms; 0 if
    /// there is none.
    [[nodiscard]] double device_over_best() const;
    [[nodiscard]] pattern_figures figures() const;
};

/// The requests of a pattern.
[[nodiscard]] trace trace_of(const pattern& which, const pattern_options& how);

/// The requests of a file; which.workload is empty. Throws what read_trace() throws, and
/// CLI::ValidationError for a trace of objects without a size.
[[nodiscard]] trace trace_of(const std::string& path, const pattern_options& how);

/// How a trace that is a file is served: by one client, in memory for 51 chunks of 10 MiB.
inline constexpr pattern served_trace{"", "", "", 0, 0, 510 * MiB, 1, asking::read};

/// The trace, served by leat alone, as the pattern asks for it. Throws as run_pattern() does.
[[nodiscard]] replay_figures serve_pattern(const trace& of,
                                           const pattern& which,
                                           const pattern_options& how);

/// Beside it, with the same memory, the least recently used "pages" of 4 KiB, and the least
/// recently used "chunks"; beside a trace that is a file, by leat's default policy, "pieces" of 64
/// KiB, and chunks. Of a request what is missing and touches is one read. What leat cannot serve is
/// told; wrong bytes throw std::runtime_error.
[[nodiscard]] pattern_outcome compare_pattern(const trace& of,
                                              const pattern& which,
                                              const pattern_options& how);

/// The pattern's, or that of the trace's file without its endings.
[[nodiscard]] std::string name_of(const trace& of, const pattern& which);

[[nodiscard]] inline std::uint64_t memory_of(const pattern& which, const pattern_options& how) {
    return how.engine.memory != 0 ? how.engine.memory : which.memory;
}

/// "patterns.NAME.FIGURE".
[[nodiscard]] std::string figure_name(std::string_view name, std::string_view figure);

}  // namespace leat::perf
