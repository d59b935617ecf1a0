// Requests on the shard on which they were made.
#pragma once

#include "held_leases.hpp"

#include <leat/cache/detail/chunk_request.hpp>
#include <leat/cache/statistics.hpp>

#include <boost/system/error_code.hpp>

#include <cstdint>

namespace leat::detail {

class owner_requests;
class uses;

/// Where a request begins and ends: it is checked, gets its owner, and goes there, by a lease if
/// that is another shard; its answer comes back here.
class home_requests {
public:
    home_requests(shard_cache& cache,
                  uses& told,
                  held_leases& held,
                  owner_requests& owned,
                  cache_statistics& counts) noexcept
        : cache_(cache), uses_(told), held_(held), owned_(owned), counts_(counts) {}

    /// As shard_cache::request() says.
    bool start(chunk_request& wanted,
               std::uint64_t number,
               std::uint64_t offset,
               const manager_core& manager) noexcept;
    /// As shard_cache::cancel() says.
    void cancel(chunk_request& wanted) noexcept;
    /// It has ended so: its caller is told.
    void finish(chunk_request& ended, boost::system::error_code code) noexcept;
    /// How many have begun and not ended.
    [[nodiscard]] std::uint64_t waiting() const noexcept { return waiting_; }

    // Messages that come from the owner.

    static void answer_arrived(work& message) noexcept;
    static void cancellation_returned(work& message) noexcept;

private:
    void answered(chunk_request& wanted) noexcept;
    void message_returned(chunk_request& of) noexcept;

    shard_cache& cache_;
    uses& uses_;
    held_leases& held_;
    owner_requests& owned_;
    cache_statistics& counts_;
    std::uint64_t waiting_ = 0;
};

}  // namespace leat::detail
