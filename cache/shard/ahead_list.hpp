// What was read ahead of streams, and waits for its readers.
#pragma once

#include "ahead_wait.hpp"
#include "chunk.hpp"
#include "evicted_keys.hpp"
#include "policy/eviction_policy.hpp"
#include "policy/resident_queue.hpp"
#include "shard_memory.hpp"

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <cstdint>

namespace leat::detail {

/// Chunks and fragments of one shard that no reader has come to yet: the policy, which would find
/// them unused and let them go first, does not know them. They wait as long as no more than
/// ahead_wait says is loaded meanwhile, and all of them have no more than three quarters of the
/// memory.
class ahead_list {
public:
    /// Both must outlive it.
    ahead_list(const shard_memory& memory, eviction_policy& policy) noexcept
        : memory_(memory), policy_(policy) {}

    /// So many bytes are loaded now: by a read of their own, unless add() says otherwise.
    void note_load(std::uint64_t bytes, std::int64_t now) noexcept;
    /// It waits from now on, and leaves the policy. Nothing happens if it is not in the policy, or
    /// if somebody has said how long it is to stay.
    void add(chunk& ahead) noexcept;
    /// If it waits it does so no more: it is the policy's to judge.
    void remove(chunk& waited) noexcept;
    /// The same for all; whether there were any.
    bool remove_all() noexcept;
    /// The header of one that waits, or does not, has moved.
    void moved(chunk& from, chunk& to) noexcept;
    /// It is evicted, whether it waits or not.
    void evicted(const chunk& gone) noexcept {
        const bool unread = gone.waits_for_reader && !gone.ever_used();
        // Who is in the middle of it will be back in any case.
        if (unread || gone.ends.last() == gone.start + gone.length)
            evicted_.evicted(gone.key, unread);
    }
    /// What has this key is not in memory, and somebody asks for it, `bytes` long.
    void wanted(std::uint64_t key, std::uint64_t bytes) noexcept;
    /// See evicted_keys.
    [[nodiscard]] double wanted_again() const noexcept { return evicted_.wanted_again(); }
    /// Forgets all of them; the policy does not learn of them.
    void clear() noexcept { list_.clear(); }

    /// How many are to be looked at before a search for `for_bytes`.
    [[nodiscard]] std::uint64_t looks_before(std::uint64_t for_bytes) const noexcept;
    /// Looks at up to `looks` of them, which is less by as many then: those whose reader has come
    /// through them, or stops in their middle, wait no more. Returns the first that has waited in
    /// vain and can go, or nullptr.
    [[nodiscard]] chunk* waits_in_vain(std::uint64_t& looks) noexcept;
    /// Whether they have so much memory that the oldest are to go.
    [[nodiscard]] bool too_many() const noexcept { return bytes_ > memory_.bytes() / 4 * 3; }
    /// The one that has waited longest, of those that can go; nullptr if there is none among the
    /// first.
    [[nodiscard]] chunk* longest_waiting() noexcept;
    [[nodiscard]] bool all_pinned() const noexcept;

private:
    /// Bytes that have been loaded since it began to wait for its reader; `placed` says when.
    [[nodiscard]] std::uint64_t waited_for(const chunk& one) const noexcept {
        return loaded_bytes_ - static_cast<std::uint64_t>(one.placed);
    }
    /// How late the reader has come of one that waits no more.
    void note_reader(const chunk& waited) noexcept;
    /// Where the next look begins, as if `from` were not there.
    void look_behind(chunk& from) noexcept;

    const shard_memory& memory_;
    eviction_policy& policy_;
    evicted_keys evicted_;
    ahead_wait wait_;
    boost::intrusive::list<resident, boost::intrusive::base_hook<resident_link>>
        list_;                       ///< in the order in which they were read
    resident* next_look_ = nullptr;  ///< where the next look begins; nullptr: at the front
    std::uint64_t bytes_ = 0;
    std::uint64_t loaded_bytes_ = 0;
    // What the device has been busy with of late, in bytes: with reads, by what it could have read
    // in the time that each takes, and with what came beside other pieces in one read.
    std::uint64_t in_reads_ = 0;
    std::uint64_t beside_others_ = 0;
};

}  // namespace leat::detail
