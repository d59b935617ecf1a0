// A pattern with chunks of different sizes.
#pragma once

#include "patterns/pattern_outcome.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace leat::perf {

inline constexpr std::array<std::uint64_t, 5> tried_chunk_sizes{64 * KiB, MiB, 10 * MiB, 64 * MiB,
                                                                GiB};
/// Of them, what the others are compared with.
inline constexpr std::size_t usual_chunk_size = 2;

struct chunk_size_outcome {
    struct point {
        double device_s_per_gib = 0;
        std::string failure;  ///< leat could not serve it
        [[nodiscard]] bool served() const noexcept { return failure.empty(); }
    };
    std::string name;
    std::uint64_t memory = 0;
    std::array<point, tried_chunk_sizes.size()> points;

    /// How often the device time with 10 MiB that of this size is; 0 where either was not served,
    /// or nothing was read.
    [[nodiscard]] double ratio(std::size_t size) const noexcept;
    /// The largest of them.
    [[nodiscard]] double worst_ratio() const noexcept;
    [[nodiscard]] pattern_figures figures() const;
};

/// Serves the trace by leat with each size. Wrong bytes throw std::runtime_error.
[[nodiscard]] chunk_size_outcome try_chunk_sizes(const trace& of,
                                                 const pattern& which,
                                                 pattern_options how);

/// The first line of the table, and one for each pattern.
[[nodiscard]] std::string chunk_size_header();
[[nodiscard]] std::string row_of(const chunk_size_outcome& outcome);
/// A line for each size that could not be served.
[[nodiscard]] std::string failures_of(const chunk_size_outcome& outcome);
[[nodiscard]] boost::json::object json_of(const chunk_size_outcome& outcome);

}  // namespace leat::perf
