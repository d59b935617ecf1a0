// What to evict: the interface that all policies share.
#pragma once

#include <boost/intrusive/list_hook.hpp>
#include <boost/intrusive/set_hook.hpp>

#include <cstdint>
#include <memory>

namespace leat::detail {

struct resident_order_tag;
using resident_order = boost::intrusive::set_base_hook<boost::intrusive::tag<resident_order_tag>,
                                                       boost::intrusive::optimize_size<true>>;

struct aside_link_tag;
using aside_link = boost::intrusive::list_base_hook<boost::intrusive::tag<aside_link_tag>>;

/// What a policy knows of a chunk. It orders by `resident_order` and `placed`, which are its own;
/// the cache sets `bytes` and `used`, and has `aside_link` for chunks that it has set aside.
struct resident : aside_link, resident_order {
    std::uint64_t bytes = 0;  ///< of the buffer
    std::int64_t used = 0;    ///< stamp of the last use that the cache has told of
    std::int64_t placed = 0;  ///< by what it stands where it does
    bool in_policy = false;   ///< not while it is set aside
};

/// The cache's word on a candidate.
enum class verdict : std::uint8_t {
    evict,      ///< take it
    used,       ///< it was used since the policy last looked: `used` says when
    set_aside,  ///< pinned or in use: out of the queues until put_back()
    pass,       ///< it keeps its place, and the search goes on
    stop        ///< it keeps its place, and the search ends without a victim
};

/// Orders the chunks of one shard. Intrusive: nothing allocates. Hits do not call it: they leave a
/// stamp on the chunk, and the cache passes on, when a victim is looked for, which were used.
class eviction_policy {
public:
    using judge = verdict (*)(void* state, resident& candidate) noexcept;

    virtual ~eviction_policy() = default;
    virtual void insert(resident& added) noexcept = 0;
    virtual void erase(resident& gone) noexcept = 0;
    /// A chunk that was set aside and can be evicted again: it was in use until now.
    virtual void put_back(resident& back) noexcept = 0;
    /// The chunk to evict, erased from the policy, or nullptr if nothing can be. Asks judge(state,
    /// candidate) of each candidate, the coldest first.
    virtual resident* victim(judge decide, void* state) noexcept = 0;
    /// Whether all chunks are set aside.
    [[nodiscard]] virtual bool empty() const noexcept = 0;
};

/// Least recently used, exactly, as far as stamps tell. Chunks stand in the order of the uses that
/// were known when they were placed; one that is met and was used since moves to where that use
/// belongs. So whoever is met first and was not used since is the oldest of all.
[[nodiscard]] std::unique_ptr<eviction_policy> make_lru_policy();

}  // namespace leat::detail
