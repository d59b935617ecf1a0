// What a shard's cache keeps behind its public face.
#pragma once

#include "buffer_line.hpp"
#include "chunk.hpp"
#include "eviction_policy.hpp"
#include "fill_queue.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <boost/intrusive/list.hpp>

#include <deque>
#include <memory>
#include <vector>

namespace leat::detail {

/// Headers never move and are freed only with the cache, so that a slice dropped late finds its
/// own.
struct shard_cache::storage {
    std::deque<chunk> chunks;
    std::deque<lease> leases;
    std::vector<chunk*>
        free_chunks_by_words;  ///< free headers, by how many presence words they have
    lease* free_lease = nullptr;
    std::unique_ptr<eviction_policy> policy = make_lru_policy();
    std::uint64_t live_chunks = 0;
    std::uint64_t live_leases = 0;
    std::uint64_t waiting = 0;

    buffer_line buffer_waiters;
    boost::intrusive::list<fill_queue> to_fill;  ///< those that are not empty
    using lease_list =
        boost::intrusive::list<lease,
                               boost::intrusive::member_hook<lease,
                                                             boost::intrusive::list_member_hook<>,
                                                             &lease::home_link>>;
    lease_list held_leases;  ///< in the order of the sweep

    boost::intrusive::list<resident> aside;  ///< of those set aside, those not known to be pinned

    // Why the last search for a buffer has failed.
    unsigned coming = 0;  ///< chunks that it found leased and has asked back
    bool out_of_memory = false;
    bool buffer_may_be_free = false;
    bool told_of_plain_buffers = false;
    bool reads_stopped = false;  ///< those in flight have been told that the shard stops
    bool told_of_refused_pages = false;
};

}  // namespace leat::detail
