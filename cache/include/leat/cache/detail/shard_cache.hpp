// One shard's part of the cache, as its users see it: hits here, all else by its parts.
#pragma once

#include <leat/cache/detail/chunk_place.hpp>
#include <leat/cache/detail/chunk_request.hpp>
#include <leat/cache/detail/entry.hpp>
#include <leat/cache/detail/entry_table.hpp>
#include <leat/cache/detail/foreign_release.hpp>
#include <leat/cache/detail/guest_completion.hpp>
#include <leat/cache/detail/request_log.hpp>
#include <leat/engine/shard.hpp>

#include <cstdint>
#include <limits>
#include <memory>

namespace leat::detail {

class cache_census;
class shared_cache;
struct manager_core;
struct shard_parts;

/// All members are for the shard's own thread, unless said otherwise.
class shard_cache {
public:
    shard_cache(shared_cache& all, shard& mine, std::uint64_t buckets);
    ~shard_cache();
    /// Any thread, once: from here on the shard calls it, until the engine has ended.
    void attach() noexcept;
    shard_cache(const shard_cache&) = delete;
    shard_cache& operator=(const shard_cache&) = delete;

    /// The one of the shard that runs on this thread; there must be one.
    [[nodiscard]] static shard_cache& current() noexcept {
        return *static_cast<shard_cache*>(shard::current()->cache_state());
    }

    /// A hit: an entry with a pin of the `size` bytes at `place`, or nullptr if they cannot be
    /// served at once. `here` is the shard that this belongs to, which a hit has at hand.
    [[nodiscard, gnu::always_inline]] entry* hit(const manager_core& manager,
                                                 std::uint64_t file,
                                                 chunk_place place,
                                                 std::uint32_t size,
                                                 const shard& here) noexcept {
        entry* found = table_.find_ready(manager, file, place, size);
        if (found == nullptr) [[unlikely]] {
            found = pass_mark(manager, file, place, size);
            if (found == nullptr) return nullptr;
        }
        if (found->last_use.latest() < horizon_) [[unlikely]]
            visited(*found, place.in);
        const std::int64_t now = stamp(here);
        found->note_use(place.in, size, now);
        found->pin(size, now);
        return found;
    }
    /// The same for a request with any hint.
    [[nodiscard, gnu::always_inline]] entry* hit(const manager_core& manager,
                                                 std::uint64_t file,
                                                 chunk_place place,
                                                 std::uint32_t size,
                                                 const shard& here,
                                                 hint given) noexcept {
        if (is_plain(given)) [[likely]]
            return hit(manager, file, place, size, here);
        return hinted_hit(manager, file, place, size, given);
    }
    /// Where requests are noted while they are recorded; whoever makes a hit notes it.
    [[nodiscard]] request_log& log() noexcept { return log_; }
    /// Whether a hit would find these bytes. No use, and no pin.
    [[nodiscard]] bool has(const manager_core& manager,
                           std::uint64_t file,
                           chunk_place place,
                           std::uint32_t size) const noexcept {
        return table_.find_ready(manager, file, place, size) != nullptr ||
               find_beyond_mark(manager, file, place, size) != nullptr;
    }
    /// The bytes from `place` on, at least one and all of one chunk, that one request is best made
    /// for: those that lie together in memory now, or else those of one fragment.
    [[nodiscard]] std::uint64_t at_once(const manager_core& manager,
                                        std::uint64_t file,
                                        chunk_place place) const noexcept;
    [[nodiscard]] entry* find(std::uint64_t file, piece_number piece) const noexcept {
        return table_.find(file, piece);
    }
    void pin(entry& found, std::uint32_t size) noexcept { found.pin(size, stamp()); }
    void unpin(entry& found, std::uint64_t size) noexcept {
        if (found.unpin(size)) [[unlikely]]
            attend(found);
    }
    /// Gives up a pin from any thread that is not the entry's home, also when the engine is gone.
    static void unpin_elsewhere(entry& found, std::uint64_t size) noexcept;

    /// Serves a request that was no hit. `number` and `offset` are the caller's; the rest as
    /// chunk_request says. Returns false if it has ended at once: then `done` is not called.
    bool request(chunk_request& wanted,
                 std::uint64_t number,
                 std::uint64_t offset,
                 const manager_core& manager) noexcept;
    /// Asks that a request end soon; `done` is still called, once.
    void cancel(chunk_request& wanted) noexcept;
    /// Requests of guests that ended this turn; handed over at its end.
    [[nodiscard]] guest_completions& completions() noexcept { return completions_; }

    /// Asks to keep `bytes` of chunks for a send without a copy, which nothing but the peer ends:
    /// all of them stay below an eighth of the shard's memory. Returns whether that is granted;
    /// then end_send() gives it back.
    [[nodiscard]] bool begin_send(std::uint64_t bytes) noexcept;
    void end_send(std::uint64_t bytes) noexcept;
    void count_bypass() noexcept;
    /// What it has done and holds. Throws std::bad_alloc.
    [[nodiscard]] cache_census census();
    /// What is wrong with its parts between two messages, or nullptr; looks at all they have.
    [[nodiscard]] const char* fault() const noexcept;
    /// After the shards have ended: forgets all chunks; returns how many pins users still hold.
    std::uint64_t close() noexcept;

    // For its parts.

    [[nodiscard]] shard& home() const noexcept { return shard_; }
    [[nodiscard]] shared_cache& all() const noexcept { return all_; }
    [[nodiscard]] shard_parts& parts() const noexcept { return *parts_; }
    [[nodiscard]] entry_table& table() noexcept { return table_; }
    /// Other buckets for the table, as many as a power of two.
    void adopt_table(entry_table::buckets other) noexcept;
    /// As many of them as shared_cache says now, if there is memory for so many.
    void fit_table() noexcept;
    /// A use of an entry that was last used before this may begin a visit: see visit_clock.
    [[nodiscard]] std::int64_t horizon() const noexcept { return horizon_; }
    void set_horizon(std::int64_t stamp) noexcept { horizon_ = stamp; }
    /// When this turn began, in ns.
    [[nodiscard]] std::int64_t stamp() const noexcept { return stamp(shard_); }
    /// Counts the pins that were given up elsewhere.
    void take_foreign() noexcept;

private:
    [[nodiscard]] static std::int64_t stamp(const shard& here) noexcept {
        return here.stamp_time().time_since_epoch().count();
    }
    [[nodiscard]] entry* find_beyond_mark(const manager_core& manager,
                                          std::uint64_t file,
                                          chunk_place place,
                                          std::uint32_t size) const noexcept;
    /// The same; the mark is passed, and its stream asks ahead at the turn's end.
    [[nodiscard]] entry* pass_mark(const manager_core& manager,
                                   std::uint64_t file,
                                   chunk_place place,
                                   std::uint32_t size) noexcept;
    void visited(entry& found, std::uint64_t in) noexcept;
    [[nodiscard]] entry* hinted_hit(const manager_core& manager,
                                    std::uint64_t file,
                                    chunk_place place,
                                    std::uint32_t size,
                                    hint given) noexcept;
    void attend(entry& unpinned) noexcept;
    void settle_foreign(entry& released) noexcept;
    /// Returns how many reads have begun.
    std::size_t before_submit() noexcept;
    void memory_changed() noexcept;

    entry_table table_;
    std::int64_t horizon_ = std::numeric_limits<std::int64_t>::min();
    request_log log_;
    shard& shard_;
    shared_cache& all_;
    shard::extension extension_;
    foreign_release<entry> foreign_;
    guest_completions completions_;
    std::unique_ptr<shard_parts> parts_;
};

}  // namespace leat::detail
