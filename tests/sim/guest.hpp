// A request of somebody who is no task.
#pragma once

#include "workload.hpp"

#include <leat/cache/detail/guest_chunks.hpp>

namespace leat::sim {

/// Asks for one chunk, from outside the shards; ends wherever its last visit ends.
class guest final : public detail::guest_chunk {
public:
    guest(workload& in, chunk_manager& from, file of, const chunk_config& config, bool cancels);
    ~guest() = default;

    [[nodiscard]] held_slice outcome(boost::system::error_code& code);

    /// Whether a shard that was given up still refers to it: then it is never destroyed. It gives
    /// up its file.
    [[nodiscard]] bool must_stay() noexcept {
        if (left_behind()) file_ = {};
        return left_behind();
    }

    attempt made;

private:
    void complete() noexcept override;

    workload& in_;
    file file_;
    chunk_config config_;
};

}  // namespace leat::sim
