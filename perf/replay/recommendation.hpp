// Which chunks, and how much memory, a trace is best served with.
#pragma once

#include "replay/replay_point.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace leat::perf {

struct recommendation {
    std::uint64_t memory = 0;
    std::uint64_t chunk_size = 0;
    double device_seconds_per_gib = 0;
    /// The share of the device's time that twice the memory would save; nothing where no more was
    /// tried, since all that is asked for fits.
    std::optional<double> saved_by_twice;
    std::vector<replay_point> tried;
};

/// Tries sizes of chunks from 64 KiB to 64 MiB, each with memory that holds four chunks of it at
/// least, and twice the memory each time until the best chunks are all held; by the policy of
/// `how`. At each memory the best is the size with which the device works least. The memory is the
/// least beyond which no number of doublings saves a tenth of that each.
[[nodiscard]] recommendation recommend(const trace& of,
                                       const replay_options& how,
                                       const device_model& device);

/// The choice among what was tried. Precondition: some was.
[[nodiscard]] recommendation choose(std::vector<replay_point> tried, const device_model& device);

/// One sentence that a user can act on.
[[nodiscard]] std::string sentence_of(const recommendation& chosen);

}  // namespace leat::perf
