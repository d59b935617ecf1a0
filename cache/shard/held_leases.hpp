// The leases that one shard holds of chunks of others.
#pragma once

#include "chunk.hpp"
#include "entry_pool.hpp"
#include "lease.hpp"
#include "shard_memory.hpp"

#include <cstdint>

namespace leat::detail {

class shard_cache;

/// Home's side of leases, as the table in lease.hpp says. Records never move.
///
/// Invariants: a lease in use is in this shard's table, unless it is retired or returning; each is
/// in the state that its pins and requests allow.
class held_leases {
public:
    /// Throws std::bad_alloc.
    held_leases(shard_cache& cache, shard_memory& memory, entry_pages& pages);

    /// The lease of that chunk or fragment of another shard's, for a request that is about to go
    /// through it: the one there is, or a new one. nullptr: no memory for that. There are always
    /// some records, so that nobody waits for one but until a lease has gone home.
    [[nodiscard]] lease* request_through(file_record& file,
                                         piece_number piece,
                                         shard_cache& owner) noexcept;
    /// Takes it out of the table, where another of its name is to stand: slices and requests that
    /// have it keep it. Nothing happens if it is out already.
    void retire(lease& old) noexcept;
    /// A request has come back through it, with a grant of `of`.
    void granted(lease& by, const chunk& of, std::uint32_t generation, bool whole) noexcept;
    /// To be called when a pin or a request has gone: it goes home, or is free, if it is of no use.
    void settle(lease& left) noexcept;
    /// The same for its last pin.
    void unpinned(lease& left) noexcept;
    /// Not in the middle of anything: gives back memory of records that is not needed. Where memory
    /// is short also leases that nothing needs now, so that there may be more of it.
    void tidy() noexcept;

    /// Whether there is a record for a new one.
    [[nodiscard]] bool vacant() const noexcept { return leases_.vacant() != 0; }
    /// The same, or memory for more.
    [[nodiscard]] bool reserve() noexcept;
    /// Whether the system had none when that failed last.
    [[nodiscard]] bool out_of_memory() const noexcept { return out_of_memory_; }
    /// Gives some leases back that nothing needs now. The others are given back as soon as nothing
    /// needs them, if somebody waits for a record then.
    void give_some_back() noexcept;
    /// Somebody begins to wait for a record: all are to be looked at.
    void record_wanted() noexcept { unlooked_ = leases_.count(); }
    /// Whether he may find one, or give_some_back() may, that has not been looked at.
    [[nodiscard]] bool may_give_back() const noexcept { return vacant() || unlooked_ != 0; }
    /// Leases in use.
    [[nodiscard]] std::uint64_t count() const noexcept { return leases_.count(); }
    /// What its entries take of the memory.
    [[nodiscard]] std::uint64_t entry_bytes() const noexcept { return leases_.bytes(); }
    template <class Visit>
    void each(Visit visit) {
        leases_.each(visit);
    }
    /// What is wrong between two messages, or nullptr.
    [[nodiscard]] const char* fault() const noexcept;
    /// After the shards have ended: forgets all; returns how many pins users still hold.
    std::uint64_t close() noexcept;

    // Messages that come from the owner.

    static void revoke_arrived(work& message) noexcept;
    static void give_back_returned(work& message) noexcept;

private:
    bool drop_page() noexcept;
    void sweep() noexcept;
    void give_back(lease& idle) noexcept;
    /// Gives it back if nothing needs it now.
    void let_go(lease& one) noexcept;
    void revoked(lease& held) noexcept;
    void free(lease& gone) noexcept;

    shard_cache& cache_;
    shard_memory& memory_;
    entry_pool<lease> leases_;
    entry_pool<lease>::position sweep_;  ///< behind the one that was looked at last
    std::uint64_t unlooked_ = 0;         ///< at most, since somebody began to wait
    bool out_of_memory_ = false;
};

}  // namespace leat::detail
