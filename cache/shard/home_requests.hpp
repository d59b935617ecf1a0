// Requests on the shard on which they were made.
#pragma once

#include "held_leases.hpp"
#include "runs.hpp"

#include <leat/cache/detail/chunk_request.hpp>
#include <leat/cache/statistics.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace leat::detail {

class owner_requests;
class uses;

/// Where a request begins and ends: it is checked, gets its owner, and goes there, by a lease if
/// that is another shard; its answer comes back here.
class home_requests {
public:
    home_requests(shard_cache& cache,
                  uses& told,
                  held_leases& held,
                  owner_requests& owned,
                  runs& known,
                  cache_statistics& counts) noexcept
        : cache_(cache), uses_(told), held_(held), owned_(owned), runs_(known), counts_(counts) {}

    /// As shard_cache::request() says.
    bool start(chunk_request& wanted,
               std::uint64_t number,
               std::uint64_t offset,
               const manager_core& manager) noexcept;
    /// As shard_cache::cancel() says.
    void cancel(chunk_request& wanted) noexcept;
    /// It has ended so: its caller is told.
    void finish(chunk_request& ended, boost::system::error_code code) noexcept;
    /// How many have begun and not ended.
    [[nodiscard]] std::uint64_t waiting() const noexcept { return waiting_; }

    /// A reader has come to the offset `at` of a file: if that is its stream's mark, ask_ahead()
    /// asks for what follows.
    void passed_mark(std::uint64_t file, std::uint64_t at) noexcept;
    /// A reader is at the offset `at`, and has not come there by a miss: his run is where he is
    /// from now on, if what he has come through was in memory.
    void catch_up(const manager_core& manager, std::uint64_t file, std::uint64_t at) noexcept;
    /// Whether some wait for the record of a lease.
    [[nodiscard]] bool in_line() const noexcept { return !line_.empty(); }
    /// Sends them on, as far as there are records now.
    void serve_line() noexcept;
    /// The shard stops: ends them.
    void end_line() noexcept;
    /// At the turn's end: so a hit that passes a mark starts nothing itself.
    void ask_ahead() noexcept;

    // Messages that come from the owner.

    static void answer_arrived(work& message) noexcept;
    static void cancellation_returned(work& message) noexcept;

private:
    /// What is to be asked for ahead.
    struct passed {
        std::uint64_t file = 0;
        std::uint64_t at = 0;  ///< a mark at or before which its reader has come, if `end` is 0
        std::uint64_t end =
            0;  ///< else that of the window which others have the rest of, from `at`
        hint given = hint::normal;
    };

    /// The bytes from where it begins that are to be read for it, as far as others of its file
    /// have shown.
    [[nodiscard]] std::uint32_t window_of(chunk_request& wanted) noexcept;
    /// Its bytes have come: what that says of its run.
    void note_brought(const chunk_request& ended) noexcept;
    void look_ahead_from(const manager_core& manager,
                         const file_record& file,
                         std::uint64_t at) noexcept;
    /// Asks for bytes of a window, each of its owner.
    void ask_for(const manager_core& manager,
                 const file_record& file,
                 const passed& from,
                 look_ahead*& asked) noexcept;
    /// What it is likely to find at its owner.
    [[nodiscard]] piece_number sought(const chunk_request& wanted) const noexcept;
    static void waited_too_long(work& item) noexcept;
    /// Sends it to its owner, by a lease of that number. False: there is no memory for that.
    [[nodiscard]] bool travel(chunk_request& wanted, piece_number by) noexcept;
    /// Why it does not wait for that; no error: it waits.
    [[nodiscard]] boost::system::error_code shortage(const chunk_request& wanted) const noexcept;
    using line = boost::intrusive::list<chunk_request>;
    void stand_in_line(chunk_request& wanted, piece_number by, line::iterator before) noexcept;
    void leave_line(chunk_request& wanted) noexcept;
    void answered(chunk_request& wanted) noexcept;
    void redirected(chunk_request& wanted) noexcept;
    void message_returned(chunk_request& of) noexcept;

    void note_passed(const passed& one) noexcept;

    shard_cache& cache_;
    uses& uses_;
    held_leases& held_;
    owner_requests& owned_;
    runs& runs_;
    cache_statistics& counts_;
    std::uint64_t waiting_ = 0;
    line line_;                      ///< those that wait for the record of a lease
    std::array<passed, 64> passed_;  ///< this turn; those beyond are not asked for ahead
    std::size_t passed_count_ = 0;
};

}  // namespace leat::detail
