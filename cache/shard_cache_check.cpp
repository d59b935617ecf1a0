// What is always true of a shard's cache between two messages.
#include "cache_storage.hpp"

#include <leat/cache/detail/shard_cache.hpp>

namespace leat::detail {

const char* shard_cache::fault() const noexcept {
    std::uint64_t live_chunks = 0;
    for (const chunk& one : own_->chunks) {
        if (one.file == nullptr) continue;
        ++live_chunks;
        if (const char* const wrong = one.fault()) return wrong;
        if ((find(one.file_number, one.index) == &one) == one.doomed)
            return "a chunk is not in the table, or a doomed one is";
        for (const lease::owner_part& held : one.holders) {
            if (const char* const wrong = held.self->fault_at_owner()) return wrong;
        }
    }
    if (live_chunks != own_->live_chunks) return "chunks are counted wrongly";
    std::uint64_t live_leases = 0;
    for (const lease& one : own_->leases) {
        if (one.file == nullptr) continue;
        ++live_leases;
        if (const char* const wrong = one.fault_at_home()) return wrong;
        if ((find(one.file_number, one.index) == &one) == one.giving_back)
            return "a lease is not in the table, or one on its way back is";
    }
    if (live_leases != own_->live_leases) return "leases are counted wrongly";
    for (const chunk_request& one : own_->buffer_waiters) {
        if (one.waits != chunk_request::place::buffer)
            return "a request waits for a buffer and does not know it";
    }
    return nullptr;
}

}  // namespace leat::detail
