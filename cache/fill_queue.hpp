// The fills of one manager on one shard.
#pragma once

#include "chunk.hpp"

#include <leat/io/backend.hpp>

#include <boost/intrusive/list.hpp>

namespace leat {

/// What waits to be read and what is being read. Each manager has its own: where one is the source
/// of another, the upper one's reads wait for the lower one's, which must not wait for theirs.
struct alignas(64) fill_queue : boost::intrusive::list_base_hook<> {
    using chunks = boost::intrusive::list<chunk,
                                          boost::intrusive::base_hook<rest_link>,
                                          boost::intrusive::constant_time_size<false>>;

    chunks demanded;  ///< somebody waits for much of them; in order, before all others
    chunks rests;     ///< those who asked have what they asked for
    unsigned pieces_at_once = 0;  ///< while requests wait for the device
    unsigned demands_in_flight = 0;
    unsigned rests_in_flight = 0;
    io::time_point last_competition{};

    [[nodiscard]] bool empty() const noexcept { return demanded.empty() && rests.empty(); }
};

}  // namespace leat
