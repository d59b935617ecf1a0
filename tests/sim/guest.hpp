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

    attempt made;

private:
    void complete() noexcept override;

    workload& in_;
    file file_;
    chunk_config config_;
};

}  // namespace leat::sim
