// What one shard reads into its chunks, and in which order.
#pragma once

#include "answers.hpp"
#include "chunk.hpp"
#include "chunk_store.hpp"
#include "fill_queue.hpp"
#include "fill_read.hpp"
#include "granted_leases.hpp"
#include "window_reader.hpp"

#include <leat/cache/statistics.hpp>
#include <leat/engine/detail/work.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <memory>
#include <stop_token>

namespace leat::detail {

/// Demanded bytes first and alone, the rest behind them, nothing for nobody.
///
/// Invariants: a manager's queue is listed here exactly while it has chunks; a chunk is in the
/// queue that its rank names; each read in flight is counted by its chunk and by its queue.
class fills {
public:
    fills(shard_cache& cache,
          chunk_store& chunks,
          granted_leases& granted,
          answers& ends,
          cache_statistics& counts) noexcept
        : cache_(cache), chunks_(chunks), granted_(granted), answers_(ends), counts_(counts) {}
    ~fills() { to_fill_.clear(); }

    /// Somebody who is among its waiters wants units of it that have not landed: a few are read at
    /// once, more in their turn.
    void want(chunk& filling, chunk_request& wanted) noexcept;
    /// All of it, of which nothing has been asked for, and which has a fill, will be read as the
    /// next part of a window, which has room for it. read_window() must follow.
    void join_window(fill_window& whole, chunk& part) noexcept;
    /// Reads a window, of which all parts have joined; the first is demanded, by a request that is
    /// among its waiters.
    void read_window(std::unique_ptr<fill_window> window) noexcept;
    /// The units that one read for it brings at most: few while requests wait for the device.
    [[nodiscard]] std::uint64_t most_at_once(const chunk& filling) const noexcept;
    /// A waiter has left it: it may be gone when this returns.
    void waiter_left(chunk& filling) noexcept;
    /// Nothing more of it is begun.
    void unqueue(chunk& filling) noexcept;
    /// Puts it where it belongs among those to be read, or nowhere.
    void rank(chunk& filling) noexcept;
    /// Begins reads, as many as there is room for, or ends who waits for them if the shard stops.
    /// Returns how many have begun.
    std::size_t submit() noexcept { return idle() ? 0 : begin_all(); }
    /// Whether that would begin any: some may have ended in it.
    [[nodiscard]] bool can_submit() noexcept;
    /// Whether chunks wait for reads of theirs to begin.
    [[nodiscard]] bool queued() const noexcept { return !to_fill_.empty(); }
    /// An age of the reads is over that chunks here wait for; whether something may come of it.
    [[nodiscard]] bool age_reads() noexcept;
    /// The shard stops: reads in flight are told, once.
    void stop_reads() noexcept;
    /// What is wrong between two messages, or nullptr.
    [[nodiscard]] const char* fault() noexcept;

    // For chunk_reader and window_reader.

    /// What of a window's read is for one of its parts; the first tells what became of the read.
    [[nodiscard]] static fill_read part_of_window(const fill_window& whole,
                                                  const chunk& part) noexcept;

    [[nodiscard]] shard_cache& cache() const noexcept { return cache_; }
    /// A read has ended: `bytes` were read, or failed with `code`; `withdrawn` if nobody wanted it
    /// any more. The chunk may be gone when this returns.
    void read_ended(chunk& filling,
                    const fill_read& ended,
                    std::uint64_t bytes,
                    boost::system::error_code code,
                    bool withdrawn) noexcept;

private:
    /// In units: nobody waits longer for bytes that are under way than one such read takes.
    static constexpr std::uint64_t largest_read = 10 * MiB >> unit_shift;

    /// Whether somebody who goes through the file waits for it.
    [[nodiscard]] static bool streams(const chunk& filling, const chunk_request& wanted) noexcept;
    /// The last unit that is to be read for a request: a stream's window goes on behind it.
    [[nodiscard]] static std::uint64_t last_unit_for(const chunk& filling,
                                                     const chunk_request& wanted) noexcept;
    [[nodiscard]] fill_queue& queue_of(const chunk& filling) const noexcept;
    /// Bytes of buffers that a read of so many units of it takes.
    [[nodiscard]] static std::uint64_t buffer_of(const chunk& filling,
                                                 std::uint64_t units) noexcept;
    /// For a small read into `bytes` of buffers, or one of a window of several fragments of that
    /// chunk.
    [[nodiscard]] aged_reads::begun take_turn(const chunk& filling,
                                              read_turn kind,
                                              std::uint64_t bytes,
                                              std::size_t fragments,
                                              bool small) noexcept;
    [[nodiscard]] static fill_rank rank_of(const chunk& filling) noexcept;
    /// Of all its chunks; for fault().
    [[nodiscard]] std::uint64_t reads_of(const fill_queue& queue) const noexcept;
    /// unqueue(), for another queue.
    void leave_queue(chunk& filling) noexcept;
    [[nodiscard]] bool competing(const fill_queue& queue) const noexcept;
    void note_competition(fill_queue& queue) const noexcept;
    [[nodiscard]] chunk* next_to_read(fill_queue& queue) const noexcept;
    void read_more(chunk& filling) noexcept;
    void give_up(fill_queue& queue) noexcept;

    /// False, and nothing has begun, if nobody has the file open.
    bool read(chunk& filling, fill_read wanted) noexcept;
    void begin_read(chunk& filling, fill_read& wanted) noexcept;
    /// In submit(), so that nothing of a source runs inside the call that wants the read.
    void begin_soon(work& read) noexcept;
    std::size_t begin_reads() noexcept;
    [[nodiscard]] bool idle() const noexcept { return to_fill_.empty() && to_begin_.empty(); }
    std::size_t begin_all() noexcept;
    /// What tells a read of it that nobody wants it any more. Throws std::bad_alloc.
    [[nodiscard]] std::stop_token withdrawal_of(chunk& filling);
    void settle_read(chunk& filling,
                     const fill_read& ended,
                     boost::system::error_code code,
                     bool withdrawn) noexcept;
    void serve_landed(chunk& filling) noexcept;
    void tell_those_in_line(const chunk& filling, const fill_read& landed) noexcept;
    /// The fragments of a chunk that has become complete are of no use any more.
    void supersede_fragments(const chunk& complete) noexcept;
    void read_failed(chunk& filling,
                     const fill_read& failed,
                     boost::system::error_code code) noexcept;
    /// Those who waited for units of the read get the error, or their units are read again; always
    /// the latter if there is none. Whether somebody got it.
    bool answer_or_retry(chunk& filling,
                         const fill_read& failed,
                         boost::system::error_code code) noexcept;
    /// Those who ask ahead for bytes of it wait no more.
    void end_aheads(chunk& filling, boost::system::error_code code) noexcept;
    void warn(const chunk& filling, boost::system::error_code code) noexcept;
    void file_changed(chunk& stale, boost::system::error_code code) noexcept;
    void drop_if_unwanted(chunk& filling) noexcept;

    shard_cache& cache_;
    chunk_store& chunks_;
    granted_leases& granted_;
    answers& answers_;
    cache_statistics& counts_;
    boost::intrusive::list<fill_queue> to_fill_;  ///< those that are not empty
    work_queue to_begin_;                         ///< reads that submit() is to begin
    bool reads_stopped_ = false;                  ///< those in flight know that the shard stops
};

}  // namespace leat::detail
