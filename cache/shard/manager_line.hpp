// The requests of one manager on one shard that wait for buffers, or for their turns.
#pragma once

#include "read_turns.hpp"

#include <leat/cache/detail/chunk_request.hpp>

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace leat::detail {

/// Each manager has its own queues for buffers: while it has as many reads in flight as it may,
/// those that wait there stay where they are, and others go before them.
struct manager_line : boost::intrusive::list_base_hook<> {
    using queue =
        boost::intrusive::list<chunk_request, boost::intrusive::constant_time_size<false>>;
    static constexpr std::size_t queues = 20;

    read_turns turns;
    std::array<queue, queues> for_buffers;  ///< by the sizes of the buffers

    /// Whether nobody waits.
    [[nodiscard]] bool empty() const noexcept {
        return turns.empty() && std::all_of(for_buffers.begin(), for_buffers.end(),
                                            [](const queue& one) { return one.empty(); });
    }
    void clear() noexcept {
        turns.clear();
        for (queue& one : for_buffers) one.clear();
    }
};

}  // namespace leat::detail
