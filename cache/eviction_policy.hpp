// What to evict: the interface that all policies share.
#pragma once

#include <boost/intrusive/list_hook.hpp>

#include <cstdint>
#include <memory>

namespace leat {

/// What a policy knows of a chunk. It keeps its own fields; the cache fills the others.
struct resident : boost::intrusive::list_base_hook<> {
    std::uint64_t bytes = 0;  ///< of the buffer
    std::int64_t used = 0;    ///< stamp of the last use that the policy has taken note of
    bool in_policy = false;   ///< not while it is set aside
};

/// The cache's word on a candidate.
enum class verdict : std::uint8_t {
    evict,     ///< take it
    used,      ///< it was used since the policy last looked: rotate it
    set_aside  ///< pinned or in use: out of the queues until put_back()
};

/// Orders the chunks of one shard. Intrusive: nothing allocates. Hits do not call it: they leave a
/// stamp on the chunk, and the cache passes on, when a victim is looked for, which were used.
class eviction_policy {
public:
    using judge = verdict (*)(void* state, resident& candidate) noexcept;

    virtual ~eviction_policy() = default;
    virtual void insert(resident& added) noexcept = 0;
    virtual void erase(resident& gone) noexcept = 0;
    /// A chunk that was set aside and can be evicted again; that counts as a use.
    virtual void put_back(resident& back) noexcept = 0;
    /// The chunk to evict, erased from the policy, or nullptr if nothing can be. Asks judge(state,
    /// candidate) of each candidate.
    virtual resident* victim(judge decide, void* state) noexcept = 0;
};

/// Least recently used, as far as stamps tell: a chunk found used moves to the young end. One look
/// at each chunk suffices, whatever was used.
[[nodiscard]] std::unique_ptr<eviction_policy> make_lru_policy();

}  // namespace leat
