// One shard's part of the cache: its table, its chunks, its leases.
#pragma once

#include <leat/cache/detail/chunk_request.hpp>
#include <leat/cache/detail/entry.hpp>
#include <leat/cache/detail/entry_table.hpp>
#include <leat/cache/detail/foreign_release.hpp>
#include <leat/cache/detail/guest_completion.hpp>
#include <leat/cache/statistics.hpp>
#include <leat/engine/shard.hpp>

#include <boost/intrusive/list.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace leat::detail {

class cache_census;
enum class fill_rank : std::uint8_t;
enum class verdict : std::uint8_t;
class shared_cache;
struct fill_queue;
struct fill_read;
struct manager_core;

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

    /// The hit's lookup.
    [[nodiscard]] entry* find(std::uint64_t file, std::uint64_t index) const noexcept {
        return table_.find(file, index);
    }
    /// Moves the table into larger buckets.
    void adopt_buckets(entry_table::buckets larger) noexcept { table_.adopt(std::move(larger)); }
    [[nodiscard]] std::uint64_t buckets() const noexcept { return table_.size(); }
    /// Whether the `size` bytes at `in` can be served now; false for size 0.
    [[nodiscard]] static bool ready(const entry& found,
                                    const manager_core& manager,
                                    std::uint64_t in,
                                    std::uint32_t size) noexcept {
        // size 0 becomes 2^32 - 1 and fails both.
        const std::uint64_t last = in + static_cast<std::uint32_t>(size - 1);
        if (found.file->served_by.load(std::memory_order_relaxed) != &manager) return false;
        if (last < found.ready_length) [[likely]]
            return true;
        return last < found.length && found.presence != nullptr && found.landed(in, size);
    }
    void pin(entry& found, std::uint32_t size) noexcept { pin(found, size, shard_); }
    /// The same for a hit, which has its shard at hand.
    static void pin(entry& found, std::uint32_t size, const shard& here) noexcept {
        const std::int64_t now = stamp(here);
        if (found.pins++ == 0) found.pinned_since = now;
        found.referred += size;
        found.last_use.note(now);
    }
    /// When this turn began, in ns: enough to tell uses apart.
    [[nodiscard]] std::int64_t stamp() const noexcept { return stamp(shard_); }
    [[nodiscard]] static std::int64_t stamp(const shard& here) noexcept {
        return here.turn_time().time_since_epoch().count();
    }
    void unpin(entry& found, std::uint64_t size) noexcept {
        found.referred -= size;
        if (--found.pins == 0 && found.attention) [[unlikely]]
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

    [[nodiscard]] shard& home() const noexcept { return shard_; }
    [[nodiscard]] shared_cache& all() const noexcept { return all_; }
    /// What it has done and holds. Throws std::bad_alloc.
    [[nodiscard]] cache_census census();

    /// What is wrong with its chunks, leases and requests between two messages, or nullptr; looks
    /// at all of them.
    [[nodiscard]] const char* fault() const noexcept;

    /// After the shards have ended: forgets all chunks; returns how many pins users still hold.
    std::uint64_t close() noexcept;
    /// Requests of guests that ended this turn; handed over at its end.
    [[nodiscard]] guest_completions& completions() noexcept { return completions_; }
    void count_bypass() noexcept { ++counts_.bypasses; }

    /// Asks to keep `bytes` of chunks for a send without a copy, which nothing but the peer ends:
    /// all of them stay below an eighth of the shard's memory. Returns whether that is granted;
    /// then end_send() gives it back.
    [[nodiscard]] bool begin_send(std::uint64_t bytes) noexcept;
    void end_send(std::uint64_t bytes) noexcept { counts_.sending_bytes -= bytes; }

private:
    friend class chunk_reader;
    using requests =
        boost::intrusive::list<chunk_request, boost::intrusive::constant_time_size<false>>;

    // Pins.
    void attend(entry& unpinned) noexcept;
    void settle_foreign(entry& released) noexcept;
    void take_foreign() noexcept;

    // Requests, at home.
    void finish(chunk_request& ended, boost::system::error_code code) noexcept;
    static void granted_at_home(work& message) noexcept;
    static void cancelled_at_home(work& message) noexcept;
    void end_at_home(chunk_request& ended) noexcept;

    // Requests, at the owner.
    static void arrived(work& message) noexcept;
    static void cancel_arrived(work& message) noexcept;
    static void waited_too_long(work& item) noexcept;
    void serve(chunk_request& wanted) noexcept;
    void serve_from(chunk& found, chunk_request& wanted) noexcept;
    void grant(chunk& found, chunk_request& wanted) noexcept;
    void answer(chunk_request& wanted, boost::system::error_code code) noexcept;
    void withdraw(chunk_request& wanted) noexcept;
    void wait_for_buffer(chunk_request& wanted) noexcept;
    void end_brief_waits() noexcept;
    void serve_buffer_waiters() noexcept;
    void end_buffer_waiters() noexcept;

    // Chunks.
    chunk* make_chunk(file_record& file, std::uint64_t index) noexcept;
    bool evict_one() noexcept;
    verdict judge(chunk& candidate) noexcept;
    verdict set_aside(chunk& candidate) noexcept;
    [[nodiscard]] boost::system::error_code shortage() noexcept;
    [[nodiscard]] bool may_wait(const chunk_request& wanted) const noexcept;
    void discard(chunk& gone) noexcept;
    void doom(chunk& stale, boost::system::error_code code) noexcept;
    void release_if_unused(chunk& stale) noexcept;
    void back_to_policy(chunk& aside) noexcept;
    void leave_aside(chunk& back) noexcept;

    // Fills.
    void want(chunk& filling, chunk_request& wanted) noexcept;
    [[nodiscard]] fill_queue& queue_of(const chunk& filling) const noexcept;
    [[nodiscard]] static fill_rank rank_of(const chunk& filling) noexcept;
    void rank(chunk& filling) noexcept;
    void unqueue(chunk& filling) noexcept;
    /// False, and nothing has begun, if nobody has the file open.
    bool read(chunk& filling, const fill_read& wanted) noexcept;
    void read_ended(chunk& filling,
                    const fill_read& ended,
                    std::uint64_t bytes,
                    boost::system::error_code code,
                    bool withdrawn) noexcept;
    void landed(chunk& filling) noexcept;
    void read_failed(chunk& filling,
                     const fill_read& failed,
                     boost::system::error_code code) noexcept;
    /// Those who waited for units of the read get the error, or their units are read again; always
    /// the latter if there is none. Whether somebody got it.
    bool answer_or_retry(chunk& filling,
                         const fill_read& failed,
                         boost::system::error_code code) noexcept;
    /// After somebody may have left: the chunk may be gone when this returns.
    void drop_if_unwanted(chunk& filling) noexcept;
    void submit_fills() noexcept;
    [[nodiscard]] bool competing(const fill_queue& queue) const noexcept;
    [[nodiscard]] chunk* next_to_read(fill_queue& queue) const noexcept;
    void read_more(chunk& filling) noexcept;
    void give_up(fill_queue& queue) noexcept;
    void stop_reads() noexcept;
    void before_submit() noexcept;

    // Leases: at home, then at the owner.
    lease* lease_for(chunk_request& wanted) noexcept;
    void lease_unused(lease& idle) noexcept;
    void give_back(lease& idle) noexcept;
    void free_lease(lease& gone) noexcept;
    void sweep_leases() noexcept;
    static void revoke_at_home(work& message) noexcept;
    static void returned_at_home(work& message) noexcept;
    void revoke(lease& held) noexcept;
    static void revoke_returned(work& message) noexcept;
    static void give_back_arrived(work& message) noexcept;
    void unlink(lease& held) noexcept;

    entry_table table_;
    shard& shard_;
    shared_cache& all_;
    shard::extension extension_;

    struct storage;
    std::unique_ptr<storage> own_;
    cache_statistics counts_;
    foreign_release<entry> foreign_;
    guest_completions completions_;
};

}  // namespace leat::detail
