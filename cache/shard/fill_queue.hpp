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
    unsigned small_in_flight = 0;          ///< reads, by their purposes
    unsigned large_in_flight = 0;
    unsigned window_demands_in_flight = 0;
    unsigned background_in_flight = 0;
    unsigned window_in_flight = 0;
    io::time_point last_competition{};
    manager_line line;

    [[nodiscard]] chunks& of(fill_rank rank) noexcept {
        return ranks[static_cast<std::size_t>(rank)];
    }
    [[nodiscard]] unsigned& in_flight(fill_read::purpose why) noexcept {
        switch (why) {
            case fill_read::purpose::small_demand:
                return small_in_flight;
            case fill_read::purpose::large_demand:
                return large_in_flight;
            case fill_read::purpose::window_demand:
                return window_demands_in_flight;
            case fill_read::purpose::window:
                return window_in_flight;
            case fill_read::purpose::background:
                break;
        }
        return background_in_flight;
    }
    [[nodiscard]] unsigned in_flight() const noexcept {
        return small_in_flight + large_in_flight + window_demands_in_flight + background_in_flight +
               window_in_flight;
    }
    [[nodiscard]] bool empty() const noexcept {
        return std::all_of(ranks.begin(), ranks.end(),
                           [](const chunks& one) { return one.empty(); });
    }
};

}  // namespace leat::detail
