// The leases that other shards hold of one shard's chunks.
#pragma once

#include "chunk.hpp"
#include "chunk_store.hpp"
#include "lease.hpp"

#include <leat/cache/statistics.hpp>

#include <cstdint>

namespace leat::detail {

/// The owner's side of leases, as the table in lease.hpp says. A chunk lists its holders; this has
/// nothing of its own.
class granted_leases {
public:
    granted_leases(shard_cache& cache, chunk_store& chunks, cache_statistics& counts) noexcept
        : cache_(cache), chunks_(chunks), counts_(counts) {}

    /// Grants `found` to the home of `to`. Returns the generation of the grant, or 0 if slices of
    /// an older chunk of the same place still hang on that lease.
    [[nodiscard]] std::uint32_t grant(chunk& found, lease& to) noexcept;
    /// Asks all its holders to give it back, who have not been asked.
    void revoke(chunk& wanted) noexcept;

    // Messages that come from home.

    static void revoke_returned(work& message) noexcept;
    static void give_back_arrived(work& message) noexcept;

private:
    void revoke(lease::owner_part& held) noexcept;
    void revoke_ended(lease& held) noexcept;
    void given_back(lease& held) noexcept;
    void unlink(lease::owner_part& held) noexcept;
    void send_home(lease& held) noexcept;

    shard_cache& cache_;
    chunk_store& chunks_;
    cache_statistics& counts_;
};

}  // namespace leat::detail
