// What to evict: the interface that all policies share.
#pragma once

#include "retention.hpp"

#include <boost/intrusive/list_hook.hpp>
#include <boost/intrusive/set_hook.hpp>

#include <cstdint>

namespace leat::detail {

struct resident_order_tag;
using resident_order = boost::intrusive::set_base_hook<boost::intrusive::tag<resident_order_tag>,
                                                       boost::intrusive::optimize_size<true>>;

struct resident_link_tag;
using resident_link = boost::intrusive::list_base_hook<boost::intrusive::tag<resident_link_tag>>;

struct aside_link_tag;
using aside_link = boost::intrusive::list_base_hook<boost::intrusive::tag<aside_link_tag>>;

/// What a policy knows of a chunk. The cache sets the first members, and has `aside_link` for
/// chunks that it has set aside; the other links, `queue` and `placed` are the policy's own.
struct resident : aside_link, resident_link, resident_order {
    /// Tells it from all others, and is the same when the same bytes come again: a hash, equally
    /// distributed.
    std::uint64_t key = 0;
    std::uint64_t bytes = 0;             ///< of the buffer
    std::int64_t used = 0;               ///< stamp of the last use that the cache has told of
    retention keep = retention::normal;  ///< set before insert()
    std::uint8_t reuses = 0;             ///< told by the cache, counted down by the policy
    bool in_policy = false;              ///< not while it is set aside
    std::uint8_t queue = 0;              ///< of the policy's, the one in which it is or was last
    bool touched = false;                ///< the cache has seen a use of it after its loading
    std::int64_t placed = 0;             ///< by what it stands where it does

    /// More than three tell nothing more.
    void count_reuse() noexcept {
        if (reuses < 3) ++reuses;
    }
};

/// The cache's word on a candidate.
enum class verdict : std::uint8_t {
    evict,      ///< take it
    used,       ///< it was used since the policy last looked: `used` and `reuses` say how
    set_aside,  ///< pinned or in use: out of the queues until put_back()
    pass,       ///< it keeps its place, and the search goes on
    stop        ///< it keeps its place, and the search ends without a victim
};

/// Which uses a policy is told of when they happen; of all others it learns when it looks for a
/// victim.
enum class told_uses : std::uint8_t {
    none,
    /// Those that begin a visit: not the continuation of a sequential reader, and not before other
    /// chunks have been loaded or visited in some number; see visit_clock.
    visits,
    all
};

/// Orders the chunks of one shard, by bytes. Intrusive: nothing allocates but the memory of keys
/// that are gone, and that may fail. Hits do not relink: they leave a stamp on the chunk, and the
/// cache passes on, when a victim is looked for, which were used.
class eviction_policy {
public:
    using judge = verdict (*)(void* state, resident& candidate) noexcept;

    virtual ~eviction_policy() = default;
    [[nodiscard]] virtual told_uses tell() const noexcept { return told_uses::none; }
    /// What has this key is wanted, and room is to be made for it. It may come to nothing, and be
    /// said again.
    virtual void expect(std::uint64_t /*key*/, std::uint64_t /*bytes*/) noexcept {}
    virtual void insert(resident& added) noexcept = 0;
    virtual void erase(resident& gone) noexcept = 0;
    /// `by`, a copy of `moved`, takes its place, which is somewhere in the policy.
    virtual void replace(resident& moved, resident& by) noexcept = 0;
    /// A chunk that was set aside and can be evicted again: it was in use until now.
    virtual void put_back(resident& back) noexcept = 0;
    /// The use for which it was inserted, perhaps some time ago; `used` says when.
    virtual void served(resident& /*landed*/) noexcept {}
    /// A use of which tell() wants to be told.
    virtual void reused(resident& again) noexcept { again.count_reuse(); }
    /// The chunk to evict, erased from the policy, or nullptr if nothing can be. Asks judge(state,
    /// candidate) of each candidate, the coldest first.
    virtual resident* victim(judge decide, void* state) noexcept = 0;
    /// Chunks may have so many bytes together from now on.
    virtual void set_capacity(std::uint64_t /*bytes*/) noexcept {}
    /// What it takes to remember keys that are gone, in bytes.
    [[nodiscard]] virtual std::uint64_t remembered_bytes() const noexcept { return 0; }
    /// Whether all chunks are set aside.
    [[nodiscard]] virtual bool empty() const noexcept = 0;
};

}  // namespace leat::detail
