// Requests on the shard that owns their chunks.
#pragma once

#include "answers.hpp"
#include "buffer_line.hpp"
#include "chunk_store.hpp"
#include "density.hpp"
#include "eviction.hpp"
#include "extent.hpp"
#include "fills.hpp"
#include "locality.hpp"

#include <leat/cache/detail/chunk_request.hpp>
#include <leat/cache/statistics.hpp>

#include <boost/system/error_code.hpp>

#include <array>
#include <cstddef>

namespace leat::detail {

/// A request is served from its chunk, which is made if there is none; without a buffer for it the
/// request waits in line, as long as it has patience.
class owner_requests {
public:
    owner_requests(shard_cache& cache,
                   chunk_store& chunks,
                   eviction& room,
                   fills& reads,
                   answers& ends,
                   cache_statistics& counts) noexcept
        : cache_(cache),
          chunks_(chunks),
          room_(room),
          fills_(reads),
          answers_(ends),
          counts_(counts),
          ageing_(*this) {}

    /// Ends it at once, or lists it where it waits.
    void serve(chunk_request& wanted) noexcept;
    /// Ends it as cancelled. Precondition: it waits.
    void withdraw(chunk_request& wanted) noexcept;
    /// Whether some wait for a buffer.
    [[nodiscard]] bool waiting() const noexcept { return !line_.empty(); }
    /// A lease of `piece` by which some of them came has been granted something: before the others
    /// are served those that want something else go on by another.
    void look_at(const file_record& file, piece_number piece) noexcept;
    /// It is no longer under way, or no longer in the table: those that it has held up are looked
    /// at when the line is served.
    void release(fill_state& over) noexcept { line_.release(over); }
    /// Serves those in line whose bytes are there, of those that begin in this range of its chunk:
    /// some of it has just landed.
    void serve_landed(const chunk& landed, std::uint64_t begin, std::uint64_t end) noexcept;
    /// Serves those that wait for a buffer, as far as there are some now.
    void serve_line() noexcept;
    /// The shard stops: ends those that wait for a buffer.
    void end_line() noexcept;
    /// It waits for its turn, and for all else that it needs. Precondition: it waits nowhere, and
    /// some reads of its manager are under way.
    void stand_for_turn(chunk_request& wanted) noexcept;
    /// A read of this manager's takes a turn, or has given it back.
    void turns_change(const manager_line& of) noexcept {
        if (!of.empty()) let_reads_age();
    }
    /// The shard has so much memory now: some may have turns that could not, also because reads
    /// that hang leave more of it.
    void memory_changed(std::uint64_t memory) noexcept {
        line_.fit_turns(memory);
        if (waiting() || fills_.queued()) let_reads_age();
    }
    /// Somebody waits for others' reads to end: those grow older.
    void let_reads_age() noexcept;
    /// What is wrong between two messages, or nullptr.
    [[nodiscard]] const char* fault() noexcept;

    // Messages that come from home.

    static void request_arrived(work& message) noexcept;
    static void cancellation_arrived(work& message) noexcept;

private:
    struct age_timer : timer {
        explicit age_timer(owner_requests& whose) noexcept : timer(&reads_age), of(&whose) {}
        owner_requests* of;
    };

    static void waited_too_long(work& item) noexcept;
    static void reads_age(work& item) noexcept;
    /// What has, or will have, all that it asks for.
    [[nodiscard]] chunk* find(const chunk_request& wanted) const noexcept;
    /// How many places of fragments one may have that has its bytes.
    [[nodiscard]] std::uint64_t most_crossed(const chunk_request& wanted) const noexcept;
    [[nodiscard]] chunk* fragment_with(const chunk_request& wanted) const noexcept;
    /// What is to be made for it, where find() finds nothing.
    [[nodiscard]] extent plan(const chunk_request& wanted) const noexcept;
    /// Whether nothing says that the bytes beside it will be asked for.
    [[nodiscard]] static bool stands_alone(const chunk_request& wanted) noexcept;
    /// Whether they are to be read all the same, as requests for this file have it.
    [[nodiscard]] bool reads_whole(const chunk_request& wanted, piece_number piece) const noexcept;
    /// Of others than `but` one that reads some of it, or is waited for to do so, or nullptr.
    [[nodiscard]] fill_state* reader_of(const chunk_request& wanted,
                                        const extent& what,
                                        const chunk* but) const noexcept;
    /// What a window has `from` bytes of chunk `index` on, up to the offset `end` there; of no
    /// length if that is not to be read with the rest.
    [[nodiscard]] extent part_of_window(const chunk_request& wanted,
                                        std::uint64_t index,
                                        std::uint64_t from,
                                        std::uint64_t end) const noexcept;
    /// The same for what it wants of `found`.
    [[nodiscard]] fill_state* reader_before(const chunk& found,
                                            const chunk_request& wanted) const noexcept;
    /// Whether there is less than `what` that would do, where that found no room: it is that then.
    [[nodiscard]] bool settles_for_less(const chunk_request& wanted, extent& what) const noexcept;
    /// nullptr: in_the_way_ says whether there is a read that has to end first, and room_ what
    /// else.
    [[nodiscard]] chunk* make(chunk_request& wanted, const extent& what) noexcept;
    /// It is missed alone, and `what` was made for it: what follows is read with that where that is
    /// wanted, as a rule.
    void read_on(chunk_request& wanted, const extent& what) noexcept;
    /// Whether the lease by which it came can hold `found`, or what is to be made of that number.
    [[nodiscard]] static bool fits_lease(const chunk_request& wanted,
                                         piece_number piece,
                                         const chunk* found) noexcept;
    /// The same; if it cannot, the request is sent where one can.
    [[nodiscard]] bool arrives(chunk_request& wanted,
                               piece_number piece,
                               const chunk* found) noexcept;
    /// Whether it can be served from `found`: whether a read for it can be under way.
    [[nodiscard]] bool can_serve_from(const chunk& found, const chunk_request& wanted) noexcept;
    void serve_from(chunk& found, chunk_request& wanted) noexcept;
    /// The same of what has just been made for it, and with it all that its window has room for.
    void serve_from_new(chunk& made, chunk_request& wanted) noexcept;
    [[nodiscard]] std::unique_ptr<fill_window> window_from(chunk& made,
                                                           chunk_request& wanted) noexcept;
    void stand_in_line(chunk_request& wanted, std::size_t queue) noexcept;
    void stand_behind(chunk_request& wanted, fill_state& by) noexcept;
    /// Whether serving it from `found`, or from what is made where that is nullptr, begins a read.
    [[nodiscard]] static bool needs_read(const chunk* found, const chunk_request& wanted) noexcept;
    /// Those that wait for what is there, or has just been asked for, of this range of a chunk.
    void serve_others(const file_record& file,
                      std::uint64_t index,
                      std::uint64_t begin,
                      std::uint64_t end) noexcept;
    [[nodiscard]] manager_line& line_of(const chunk_request& wanted) const noexcept;
    /// False if those behind it in its queue need not try.
    [[nodiscard]] bool serve_waiter(chunk_request& first) noexcept;
    void move_in_line(chunk_request& waiting, std::size_t to) noexcept;
    void move_to_turns(chunk_request& waiting) noexcept;
    void move_behind(chunk_request& waiting, fill_state& by) noexcept;
    void leave_line(chunk_request& wanted) noexcept;
    void start_deadline(chunk_request& wanted) noexcept;
    void stop_deadline(chunk_request& wanted) noexcept;
    /// Whether who was looked at last, of those that need a buffer of that queue, has found none,
    /// and nothing has been given back since.
    [[nodiscard]] bool short_of(std::size_t queue) const noexcept {
        return queue != buffer_line::held_up && vain_looks_[queue] == chunks_.rooms() + 1;
    }
    /// Who was looked at last, of those that need a buffer of that queue, has found one, or none:
    /// then the deadlines begin anew of those who waited on after theirs.
    void note_look(std::size_t queue, bool in_vain) noexcept;
    [[nodiscard]] bool may_wait(const chunk_request& wanted) const noexcept;
    void end_brief_waits() noexcept;

    shard_cache& cache_;
    chunk_store& chunks_;
    eviction& room_;
    fills& fills_;
    answers& answers_;
    cache_statistics& counts_;
    void leave_leases() noexcept;
    void leave_lease(chunk_request& waiter) noexcept;

    buffer_line line_;
    /// Of each queue chunk_store::rooms() at the latest look, and one more, if that found none.
    std::array<std::uint64_t, manager_line::queues> vain_looks_{};
    age_timer ageing_;
    std::size_t overdue_ = 0;  ///< those that wait on after their deadlines
    locality locality_;
    density density_;
    fill_state* in_the_way_ = nullptr;  ///< of what make() would have made last
    struct granted_lease {
        const file_record* file = nullptr;
        piece_number piece;
    };
    std::array<granted_lease, 16> granted_;  ///< since the line was served
    std::size_t granted_count_ = 0;          ///< more than there is room for: any
};

}  // namespace leat::detail
