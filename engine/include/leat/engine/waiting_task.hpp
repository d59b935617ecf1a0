// A task that waits, as engine::waiting() and the stop_report tell it.
#pragma once

#include <leat/engine/error.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace leat {

/// One coroutine that waits on a shard, or a shard that does not answer.
struct waiting_task {
    unsigned shard = 0;
    /// How long it has waited, at a turn's precision; of a shard that does not answer, how long it
    /// was waited for in vain.
    std::chrono::nanoseconds age{0};
    std::string name = {};  ///< the task's, see task_name; "" if it has none
    leat::where awaits{};   ///< what it waits for
    bool silent = false;    ///< no task, but a shard that does not answer: it is kept in a turn
};

/// One line, e.g. `shard 2, "10.0.0.7:4711": get_chunk "film.mkv" offset 0 size 4096, for 1250 ms`.
[[nodiscard]] std::string to_string(const waiting_task& one);

namespace detail {

/// Silent shards first, then the oldest; of equal age by shard, and of one shard as they stood,
/// since a shard tells its waits in the order in which they began.
void sort_oldest_first(std::vector<waiting_task>& all);

}  // namespace detail

}  // namespace leat
