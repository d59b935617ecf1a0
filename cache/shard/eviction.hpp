// Where a new chunk's buffer comes from.
#pragma once

#include "chunk_store.hpp"
#include "fills.hpp"
#include "granted_leases.hpp"
#include "segment_emptying.hpp"
#include "shard_memory.hpp"
#include "uses.hpp"
#include "vain_searches.hpp"

#include <leat/cache/statistics.hpp>

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>

namespace leat::detail {

/// Makes room: a free buffer of the arena, or one that evicting gives. The policy says which chunk
/// is the coldest, this whether it can go.
class eviction {
public:
    eviction(shard_cache& cache,
             chunk_store& chunks,
             uses& told,
             granted_leases& granted,
             fills& reads,
             cache_statistics& counts,
             shard_memory& memory) noexcept
        : cache_(cache),
          chunks_(chunks),
          uses_(told),
          granted_(granted),
          fills_(reads),
          counts_(counts),
          memory_(memory),
          again_(*this) {}
    ~eviction();
    eviction(const eviction&) = delete;
    eviction& operator=(const eviction&) = delete;

    /// `what`, for a request, if there was room, or nullptr: then the members below say why. What
    /// there is of it already is taken over.
    [[nodiscard]] chunk* make(chunk_request& wanted, const extent& what) noexcept;
    /// What a buffer for `length` bytes takes of the memory.
    [[nodiscard]] std::uint64_t buffer_bytes(std::uint64_t length) const noexcept;
    /// Whether the shard has memory for so many buffers of that length that one is a small part.
    [[nodiscard]] bool has_room_for_chunks(const extent& whole) const noexcept;
    /// Whether the last search failed for want of memory outside the arena, or of any chunk that
    /// one could wait for.
    [[nodiscard]] bool out_of_memory() const noexcept { return out_of_memory_; }
    /// Whether the last search has asked for leases, which will make room as they come back.
    [[nodiscard]] bool coming() const noexcept { return coming_ != 0; }
    /// Evicts until one segment more is free. Whether that could be done.
    bool free_segment() noexcept;
    /// Evicts for `bytes` that are no buffer's. Whether they may be had now.
    [[nodiscard]] bool make_memory(std::uint64_t bytes) noexcept;
    /// The same for a page where pins keep each segment: those go whose entries lie in one page, or
    /// what is remembered for estimates. Not in the middle of anything, as shrink().
    [[nodiscard]] bool make_page() noexcept;
    /// Makes a place for the fill of what is served next, and evicts for it. False: there will be
    /// one when a read has ended.
    bool reserve_fill() noexcept;
    /// The memory learns what is remembered of what is gone, and that what more it may be. Whether
    /// that is as much as could be of use.
    bool count_remembered() noexcept;
    /// Evicts until the buffers keep to their memory, as far as that can be done now. Not in the
    /// middle of anything: headers move closer together, to give back memory, too.
    void shrink() noexcept;
    /// Whether that is to be done, since entries have what a chunk needs.
    [[nodiscard]] bool owes_shrink() const noexcept { return claims_; }
    /// What a request fails with that does not wait.
    [[nodiscard]] boost::system::error_code shortage() noexcept;

    /// Chunks that searches have looked at until now.
    [[nodiscard]] std::uint64_t looks() const noexcept { return judged_ + last_look_.looks; }

private:
    struct again_timer : timer {
        explicit again_timer(eviction& whose) noexcept : timer(&search_again), of(whose) {}
        eviction& of;
    };
    static void search_again(work& item) noexcept;

    /// Evicts as shrink() does; no header moves.
    void keep_to_memory() noexcept;
    /// Whether a search of this kind is not to be made now, since the last was in vain a short
    /// while ago. If room may have come since, those who wait are served again when it may be made.
    [[nodiscard]] bool spares(std::uint64_t kind) noexcept;
    /// The estimates of other sizes begin anew. Whether that has left a page.
    [[nodiscard]] bool forget_estimates() noexcept;
    /// Closes the segments above the budget: what is in them goes as soon as nothing keeps it.
    void drain() noexcept;
    /// Entries go until buffers can have all that is theirs.
    void claim() noexcept;
    /// Makes sure that there is a header for a new chunk, and a place for its fill, and counts its
    /// `unit_bits`, bytes of them.
    [[nodiscard]] bool find_header(std::uint64_t unit_bits) noexcept;
    [[nodiscard]] bool find_place() noexcept;
    /// `bytes` is what it has afterwards: perhaps more.
    [[nodiscard]] std::byte* find_buffer(std::uint64_t& bytes) noexcept;
    /// For a buffer that is longer than a segment, or than those that the budget has cut short.
    [[nodiscard]] std::byte* empty_neighbours(std::uint64_t bytes) noexcept;
    /// Moves what lies in a segment, to none of `count` from `first` on, or evicts it.
    void empty(std::size_t segment, std::size_t first, std::size_t count) noexcept;
    /// The leases without which a segment could be emptied.
    void ask_back() noexcept;
    /// One, or a few for the segment that is being emptied. Whether there were any.
    [[nodiscard]] bool evict_some() noexcept;
    /// Whether more are to go with it.
    bool evict(resident& victim) noexcept;
    /// The same if it can go.
    [[nodiscard]] chunk* waits_in_vain(chunk* found) noexcept;
    [[nodiscard]] bool helps(const chunk& candidate) noexcept;
    [[nodiscard]] verdict judge(chunk& candidate) noexcept;
    /// What is in memory of the bytes of `made`, in `former` or in fragments that it crosses.
    void take_over(chunk& made, chunk* former) noexcept;
    void tell_of_memory() noexcept;

    shard_cache& cache_;
    chunk_store& chunks_;
    uses& uses_;
    granted_leases& granted_;
    fills& fills_;
    cache_statistics& counts_;
    shard_memory& memory_;
    unsigned looks_spared_ = 0;  ///< before the next look for a segment that can be emptied
    unsigned coming_ = 0;        ///< chunks that the last search found leased and has asked back
    last_look last_look_;
    vain_searches vain_;
    again_timer again_;         ///< pending while one is put off that is worth repeating
    bool claims_ = false;       ///< a chunk was wanted for which entries have left too little
    std::uint64_t judged_ = 0;  ///< candidates, all in all
    // Of the search under way:
    std::uint64_t wanted_bytes_ = 0;
    std::uint64_t excess_ = 0;        ///< of buffers that are to go, however many leases that takes
    std::uint64_t coming_bytes_ = 0;  ///< of those that are coming
    segment_emptying* emptying_ = nullptr;
    std::uint64_t larger_bytes_ = 0;  ///< of places that serve where none of the size comes
    bool for_ahead_ = false;          ///< nobody waits for it yet
    bool must_ = true;                ///< nothing less than such a buffer serves
    unsigned left_ = 0;               ///< evictions that it may make more
    bool used_ = false;               ///< there were some that were used since the last search
    bool spares_used_ = true;         ///< it passes those that somebody is in the middle of using
    bool spared_ = false;             ///< there were some of them
    bool passed_ = false;             ///< there were some whose place would not have helped
    bool out_of_memory_ = false;
    bool told_of_plain_buffers_ = false;
    bool told_of_refused_pages_ = false;
};

}  // namespace leat::detail
