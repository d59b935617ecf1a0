// How a request ends at the shard that owns its chunk.
#pragma once

#include "chunk.hpp"
#include "granted_leases.hpp"
#include "uses.hpp"

#include <leat/cache/detail/chunk_request.hpp>

#include <boost/system/error_code.hpp>

namespace leat::detail {

/// The way back of requests: to the caller at once if he is on this shard, by a message if not.
class answers {
public:
    answers(shard_cache& cache, uses& told, granted_leases& granted) noexcept
        : cache_(cache), uses_(told), granted_(granted) {}

    /// The request gets its bytes of `found`, which have landed: a pin, or a lease.
    void grant(chunk& found, chunk_request& wanted) noexcept;
    /// The request comes again by a lease of that number, which can hold what it wants.
    void redirect(chunk_request& wanted, piece_number to) noexcept;
    /// The request, which waits nowhere any more, ends so.
    void send(chunk_request& wanted, boost::system::error_code code) noexcept;

private:
    shard_cache& cache_;
    uses& uses_;
    granted_leases& granted_;
};

}  // namespace leat::detail
