// Withdraws leases, and leaves the rest to the end of pins and reads.
#include "file_eviction.hpp"

#include "shard_parts.hpp"

namespace leat::detail {

bool file_eviction::look() noexcept {
    shard_parts& parts = cache_.parts();
    next_ = parts.chunks.each_some(next_, [&](chunk& one) {
        if (one.doomed || !concerns(*one.file)) return;
        if (!one.pinned() && !one.under_way()) bytes_ += one.bytes;
        // As of fragments of which a whole chunk has the bytes.
        parts.granted_leases.revoke(one);
        parts.chunks.supersede(one);
    });
    return next_ != 0;
}

}  // namespace leat::detail
