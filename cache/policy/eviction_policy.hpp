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

/// What a policy knows of a chunk. The cache sets the key, bytes, uses and retention, and has the
/// links for chunks that are not in the policy; `queue` and `placed` are the policy's own, and so
/// are the links of what is in it.
struct resident : resident_link, resident_order {
    /// Tells it from all others, and is the same when the same bytes come again: a hash, equally
    /// distributed.
    std::uint64_t key = 0;
    std::int64_t used = 0;    ///< stamp of the last use that the cache has told of
    std::int64_t placed = 0;  ///< by what it stands where it does
    std::uint32_t bytes = 0;  ///< of the buffer: hardly more than the largest chunk, 1 GiB
    retention keep : 2 = retention::normal;  ///< set before insert()
    std::uint8_t reuses : 2 = 0;             ///< told by the cache, counted down by the policy
    std::uint8_t queue : 2 = 0;  ///< of the policy's, the one in which it is or was last
    bool in_policy : 1 = false;  ///< not while it is set aside
    bool touched : 1 = false;    ///< the cache has seen a use of it after its loading

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
    other,      ///< the same, and so it will be for a while in searches of the same kind
    stop        ///< it keeps its place, and the search ends without a victim
};

/// Whether the candidate keeps its place, and the search goes on.
[[nodiscard]] constexpr bool passes(verdict said) noexcept {
    return said == verdict::pass || said == verdict::other;
}

/// Which uses a policy is told of when they happen; of all others it learns when it looks for a
/// victim.
enum class told_uses : std::uint8_t {
    none,
    /// Those that begin a visit: not the continuation of a sequential reader, and not before other
    /// chunks have been loaded or visited in some number; see visit_clock.
    visits,
    all
};

class resident_queue;

/// Orders the chunks of one shard, by bytes. Intrusive: nothing allocates but the memory of keys
/// that are gone, and that may fail. Hits do not relink: they leave a stamp on the chunk, and the
/// cache passes on, when a victim is looked for, which were used.
class eviction_policy {
public:
    using judge = verdict (*)(void* state, resident& candidate) noexcept;
    /// What becomes of a victim, which it may destroy; whether there are to be more.
    using taker = bool (*)(void* state, resident& victim) noexcept;

    virtual ~eviction_policy() = default;
    [[nodiscard]] virtual told_uses tell() const noexcept { return told_uses::none; }
    /// What has this key is wanted, and room is to be made for it. It may come to nothing, and be
    /// said again.
    virtual void expect(std::uint64_t /*key*/, std::uint64_t /*bytes*/) noexcept {}
    /// So many bytes were loaded. What is inserted may have been there before.
    virtual void loaded(std::uint64_t /*bytes*/) noexcept {}
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
    /// The same again and again, until `take` has enough; returns false then, and true if there are
    /// no more. What is passed, a search for many may meet once only; and what is of another kind,
    /// the next few searches of this `kind` may not meet at all, if this one takes something.
    virtual bool victims(judge decide,
                         taker take,
                         void* state,
                         [[maybe_unused]] std::uint64_t kind) noexcept {
        while (resident* const found = victim(decide, state)) {
            if (!take(state, *found)) return false;
        }
        return true;
    }
    /// Those in the policy whose retention says that they are first to go, in the order in which
    /// they will; nullptr: they stand among the others. Its order may be changed.
    [[nodiscard]] virtual resident_queue* first_to_go() noexcept { return nullptr; }
    /// Chunks may have so many bytes together from now on.
    virtual void set_capacity(std::uint64_t /*bytes*/) noexcept {}
    /// What it takes to remember keys that are gone, in bytes.
    [[nodiscard]] virtual std::uint64_t remembered_bytes() const noexcept { return 0; }
    /// That is to be no more than so many: the oldest keys make room for others then. It may be
    /// more already.
    virtual void remember_at_most(std::uint64_t /*bytes*/) noexcept {}
    /// Whether all chunks are set aside.
    [[nodiscard]] virtual bool empty() const noexcept = 0;
};

}  // namespace leat::detail
