// The chunks of one shard: their headers, and which of them can be evicted.
#pragma once

#include "ahead_list.hpp"
#include "chunk.hpp"
#include "entry_pool.hpp"
#include "extent.hpp"
#include "fill_state.hpp"
#include "fragment_counts.hpp"
#include "policy/policies.hpp"
#include "policy/resident_queue.hpp"
#include "shard_memory.hpp"

#include <leat/cache/detail/shard_cache.hpp>

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace leat::detail {

/// A header moves only while nothing refers to its chunk, and is freed with it, but for those that
/// slices keep when the cache ends: so a slice dropped late finds its own.
///
/// Invariants: a chunk in use is in the table exactly if it is not doomed; one that is neither in
/// the policy nor doomed is set aside, and has something that will bring it back: a pin, a holder's
/// pin, a waiter, or a read in flight; it has a fill exactly as long as something of it is under
/// way; after a turn none is left that nobody retains and nothing keeps.
class chunk_store {
public:
    /// Throws std::bad_alloc.
    chunk_store(shard_cache& cache, shard_memory& memory, entry_pages& pages);

    /// What tells this chunk from all others, and is the same when it comes again.
    [[nodiscard]] static std::uint64_t key_of(const file_record& file, piece_number piece) noexcept;
    /// The chunk or fragment of that number, or nullptr.
    [[nodiscard]] chunk* find(const file_record& file, piece_number piece) const noexcept;
    /// Calls visit(chunk) for the fragments of the chunk `index` that are found by one from byte
    /// `begin` of it on and before `end`, in order, until it returns true. Whether it did. It may
    /// take out the one it is given.
    template <class Visit>
    bool any_fragment(const file_record& file,
                      std::uint64_t index,
                      std::uint64_t begin,
                      std::uint64_t end,
                      Visit visit) const {
        if (fragments_.all() == 0) return false;
        return cache_.table().any_fragment(file.number, index, begin, end, [&](entry& found) {
            return visit(static_cast<chunk&>(found));
        });
    }
    /// See fragment_counts.
    [[nodiscard]] std::uint64_t longest_fragment() const noexcept { return fragments_.longest(); }
    /// Fragments with a fill.
    [[nodiscard]] std::uint64_t filling_fragments() const noexcept { return filling_fragments_; }
    /// Whether there is a place for the header of the next chunk, or memory for more.
    [[nodiscard]] bool reserve() noexcept;
    /// Whether there is a place for the next fill, or memory for more. There are always some, so
    /// that nobody waits for one but until a read has ended.
    [[nodiscard]] bool reserve_fill() noexcept;
    /// Something of it is about to be under way. False if there is no place for that.
    [[nodiscard]] bool start_fill(chunk& filling) noexcept;
    /// Nothing is known of its fill any more if nothing of it is under way.
    void end_fill(chunk& filled) noexcept {
        if (filled.fill != nullptr && !filled.fill->in_use()) free_fill(filled);
    }
    /// `what` of `file`, in the table and the policy, in `buffer` of `bytes`, which it takes over;
    /// nullptr if there is no memory for its header. Precondition: reserve(), its unit bits are
    /// counted, and none of that number is there.
    chunk* make(file_record& file,
                const extent& what,
                std::byte* buffer,
                std::uint64_t bytes,
                retention keep) noexcept;
    /// The use for which it was loaded: no reuse.
    void first_used(chunk& landed) noexcept;
    /// Others have its bytes: it goes as soon as nothing keeps it.
    void supersede(chunk& superfluous) noexcept;
    /// Those that were read ahead of streams, and wait for their readers.
    [[nodiscard]] ahead_list& ahead() noexcept { return ahead_; }
    /// Bytes of those that are pinned, as far as searches for a victim have met them.
    [[nodiscard]] std::uint64_t held_bytes() const noexcept { return held_bytes_; }
    /// A request with this hint has had bytes of it.
    void retain(chunk& used, hint given) noexcept;
    /// Frees it. Precondition: nothing refers to it, and it is in no fill queue.
    void discard(chunk& gone) noexcept;
    /// Takes it out of the table; it is freed when nothing refers to it any more, which may be
    /// settle()'s next call. Precondition: it is in no fill queue.
    void doom(chunk& stale) noexcept;

    /// To be called when something has gone that kept it: a pin, a lease, a read, a waiter. If
    /// nothing is left it can be evicted again, or is gone when this returns, if it was doomed.
    void settle(chunk& left) noexcept;
    /// The same for its last pin at home.
    void unpinned(chunk& left) noexcept;
    /// The policy is not to see it until settle() finds that nothing keeps it.
    verdict set_aside(chunk& kept) noexcept;
    [[nodiscard]] eviction_policy& policy() noexcept { return *policy_; }
    [[nodiscard]] const shard_memory& memory() const noexcept { return memory_; }

    /// At the turn's end: frees those that nobody is to retain and nothing keeps any more. Not
    /// before, since whoever has let go of one may be in the middle of serving others.
    void let_go() noexcept;
    /// Gives back memory of headers as far as more than about a quarter of it is vacant; if
    /// `move_some` also by moving some of them closer together, not in the middle of anything.
    void tidy(bool move_some) noexcept;
    /// Moves them until there is no more to give back. Not in the middle of anything.
    void compact() noexcept;
    /// Evicts all whose entries lie in one page, of which nothing keeps any, and gives the page
    /// back. Whether there was one. Not in the middle of anything.
    bool clear_page() noexcept;

    /// Whether a search for a buffer that failed may succeed now.
    [[nodiscard]] bool room_may_have_come() const noexcept { return room_may_have_come_; }
    void note_room() noexcept {
        room_may_have_come_ = true;
        ++rooms_;
    }
    /// Nothing has come; a search that was spared is to be made in another turn.
    void search_again() noexcept { room_may_have_come_ = true; }
    /// How often room may have come.
    [[nodiscard]] std::uint64_t rooms() const noexcept { return rooms_; }
    void forget_room() noexcept { room_may_have_come_ = false; }
    /// Whether every chunk is pinned; not only busy.
    [[nodiscard]] bool all_pinned() noexcept;

    /// Fills under way.
    [[nodiscard]] std::uint64_t fill_count() const noexcept { return fills_.count(); }
    /// Chunks in use.
    [[nodiscard]] std::uint64_t count() const noexcept { return chunks_.count(); }
    template <class Visit>
    void each(Visit visit) {
        chunks_.each(visit);
    }
    /// The same for some of them, so many as take a turn about 100 us if each is a cache miss, from
    /// page `first` on. Returns where to go on; 0 at the end. See entry_pool.
    template <class Visit>
    std::size_t each_some(std::size_t first, Visit visit) {
        constexpr std::size_t looks_a_turn = 1024;
        return chunks_.each_some(first, looks_a_turn / entry_pool<chunk>::places, visit);
    }
    /// What its entries take of the memory, counted one by one.
    [[nodiscard]] std::uint64_t entry_bytes() const noexcept;
    /// What is wrong between two messages, or nullptr.
    [[nodiscard]] const char* fault() const noexcept;
    /// After the shards have ended: forgets all; returns how many pins users still hold.
    std::uint64_t close() noexcept;

private:
    void change_retention(chunk& of, retention to) noexcept;
    template <class Entry>
    [[nodiscard]] bool add_page(entry_pool<Entry>& to) noexcept;
    void free_fill(chunk& filled) noexcept;
    /// Nothing of it is under way any more, or not where others find it.
    void release_held_up(chunk& over) noexcept;
    [[nodiscard]] chunk* header(std::uint32_t length) noexcept;
    template <class Entry>
    bool drop_page(entry_pool<Entry>& of) noexcept;
    bool empty_page() noexcept;
    void move(chunk& idle) noexcept;
    [[nodiscard]] const char* fault(const chunk& one) const noexcept;
    void leave_aside(chunk& back) noexcept;
    void hold_no_more(chunk& back) noexcept;
    void put_back(chunk& aside) noexcept;

    shard_cache& cache_;
    shard_memory& memory_;
    entry_pool<chunk> chunks_;
    entry_pool<fill_state> fills_;
    std::unique_ptr<eviction_policy> policy_;
    ahead_list ahead_;
    boost::intrusive::list<fill_state,
                           boost::intrusive::base_hook<aside_link>,
                           boost::intrusive::constant_time_size<false>>
        aside_;  ///< of those set aside, those not known to be pinned
    boost::intrusive::list<resident, boost::intrusive::base_hook<resident_link>>
        doomed_;                 ///< those not known to be pinned
    std::uint64_t leaving_ = 0;  ///< of those first to go, so many may have nothing that keeps them
    std::size_t next_cleared_ = 0;  ///< where clear_page() goes on
    std::uint64_t held_bytes_ = 0;
    fragment_counts fragments_;
    std::uint64_t filling_fragments_ = 0;
    bool room_may_have_come_ = false;
    std::uint64_t rooms_ = 0;
};

}  // namespace leat::detail
