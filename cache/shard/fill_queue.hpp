// The fills of one manager on one shard.
#pragma once

#include "fill_rank.hpp"
#include "fill_read.hpp"
#include "fill_state.hpp"
#include "manager_line.hpp"

#include <leat/io/backend.hpp>

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <array>

namespace leat::detail {

/// What waits to be read and what is being read. Each manager has its own: where one is the source
/// of another, the upper one's reads wait for the lower one's, which must not wait for theirs.
struct alignas(64) fill_queue : boost::intrusive::list_base_hook<> {
    using chunks = boost::intrusive::list<fill_state,
                                          boost::intrusive::base_hook<turn_link>,
                                          boost::intrusive::constant_time_size<false>>;

    std::array<chunks, fill_ranks> ranks;  ///< by fill_rank; each in the order of arrival
    unsigned pieces_at_once = 0;           ///< while requests wait for the device
    io::time_point last_competition{};
    manager_line line;

    [[nodiscard]] chunks& of(fill_rank rank) noexcept {
        return ranks[static_cast<std::size_t>(rank)];
    }
    // Reads in flight that do not hang.

    [[nodiscard]] unsigned small_in_flight() const noexcept {
        return line.turns.reads().counted().small;
    }
    [[nodiscard]] unsigned window_demands_in_flight() const noexcept {
        return line.turns.reads().counted().windows;
    }
    [[nodiscard]] unsigned large_in_flight() const noexcept {
        return line.pieces.counted().all - line.pieces.counted().background;
    }
    [[nodiscard]] unsigned background_in_flight() const noexcept {
        return line.pieces.counted().background;
    }
    [[nodiscard]] unsigned in_flight() const noexcept {
        return line.turns.in_flight() + line.pieces.counted().all;
    }

    [[nodiscard]] bool empty() const noexcept {
        return std::all_of(ranks.begin(), ranks.end(),
                           [](const chunks& one) { return one.empty(); });
    }
};

}  // namespace leat::detail
