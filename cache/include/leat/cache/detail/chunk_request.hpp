// A request that has to wait, wherever it is: at home, on its way to the owner, in the owner's
// lists.
#pragma once

#include <leat/cache/chunk_config.hpp>
#include <leat/cache/detail/entry.hpp>
#include <leat/engine/detail/timer.hpp>
#include <leat/engine/error.hpp>
#include <leat/io/error.hpp>

#include <boost/intrusive/list_hook.hpp>
#include <boost/intrusive/set_hook.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace leat::detail {

struct chunk;
struct fill_state;
struct lease;
struct manager_line;

/// How long a request waits for a buffer.
enum class patience : std::uint8_t {
    deadline,  ///< up to the manager's pin_deadline
    brief,     ///< while leases have been asked back: a message each, nothing that waits in turn
    none
};

[[nodiscard]] constexpr patience patience_of(hint given) noexcept {
    return given == hint::no_wait ? patience::none : patience::deadline;
}

/// Whether a hit with this hint is like any other.
[[nodiscard]] constexpr bool is_plain(hint given) noexcept {
    return given == hint::normal || given == hint::no_wait;
}

/// Whether a request found no buffer, for whatever reason.
[[nodiscard]] inline bool unbuffered(const boost::system::error_code& code) noexcept {
    return code == errc::all_pinned || code == errc::no_buffer;
}

/// Which of the requests whose reads have to wait it is one of; see read_turns.
enum class read_turn : std::uint8_t {
    alone_again,  ///< it asks for no more than it says, and has had a turn, but found no buffer
    alone,        ///< the same, without a turn so far
    walk_again,   ///< its reader goes on through the file; it has had a turn, but found no buffer
    walk,         ///< the same, without a turn so far
    ahead         ///< nobody waits for it yet
};
inline constexpr std::size_t read_turn_kinds = 5;

struct buffer_line_tag;
using buffer_line_hook = boost::intrusive::set_base_hook<boost::intrusive::tag<buffer_line_tag>>;

/// Intrusive and owned by the caller; it lives until `done` runs, once, on its home shard. While it
/// travels it is the message itself.
struct chunk_request : work, boost::intrusive::list_base_hook<>, buffer_line_hook {
    using completion = void (*)(chunk_request&) noexcept;

    // Set by the caller.
    completion done = nullptr;
    std::uint64_t in = 0;  ///< offset inside the chunk
    std::uint32_t size = 0;
    /// Bytes from `in` on, perhaps beyond a small chunk, that its reader is going to ask for, as
    /// far as is known: more than `size` for streams.
    std::uint32_t window = 0;
    bool walks = false;  ///< its reader stops where the window ends
    /// Bytes beyond it that its reader comes through before they go, as far as is known; and
    /// whether that is known of himself: he is quicker than others.
    std::uint64_t reach = std::numeric_limits<std::uint64_t>::max();
    bool quick = false;
    leat::detail::patience patience = leat::detail::patience::deadline;
    hint given = hint::normal;
    /// Nobody waits for it yet: it goes behind those that somebody waits for.
    bool asked_ahead = false;

    // The outcome: an entry of the home shard, pinned, or an error.
    entry* pinned = nullptr;
    boost::system::error_code code;

    // Kept by the cache.
    file_record* file = nullptr;  ///< holds a handle
    std::uint64_t index = 0;      ///< of the chunk
    shard_cache* home = nullptr;
    shard_cache* owner = nullptr;
    lease* via = nullptr;     ///< the home's lease, if the owner is another shard
    chunk* at = nullptr;      ///< what it waits for, once there is a chunk
    std::uint32_t grant = 0;  ///< the generation of the lease that the owner granted
    /// Owner's: bytes from `in` on of which nothing was there, and which are read for it, or ahead.
    std::uint32_t brought = 0;
    std::int64_t used = 0;        ///< stamp by which the owner has noted this use
    bool whole = false;           ///< the chunk was complete when granted
    bool fleeting = false;        ///< its lease is to go home with the last pin
    bool goes_on = false;         ///< its reader goes through the file, or says so
    bool retried = false;         ///< its units have been read alone after a larger read failed
    bool unread = false;          ///< owner's: a large one with units that no read in flight brings
    bool reads_on = false;        ///< owner's: it stands alone, and what follows is read with it
    bool expected = false;        ///< owner's: the policy knows that it is wanted
    std::uint8_t line = 0;        ///< owner's: the queue in which it waits for a buffer
    bool waits_for_turn = false;  ///< owner's: until it may have a read
    /// Owner's: of the read that is in the way of its own, which it waits behind.
    fill_state* behind = nullptr;
    /// Owner's: with which it waits, for a buffer, a turn, or a read.
    manager_line* stands_in = nullptr;
    /// Owner's, while it waits so: its number among those that wait for buffers; 0: it has none.
    std::uint64_t arrival;
    read_turn turn = read_turn::alone;
    /// Owner's, of one that has found no buffer: `over` if it waits on, as it lacks only a turn.
    enum class time_limit : std::uint8_t { none, runs, over } limit = time_limit::none;
    bool cancelled = false;
    /// The owner has what it wants by another name, or in another buffer, than its lease can hold:
    /// it is to come again by a lease of `elsewhere`.
    bool redirected = false;
    piece_number elsewhere;
    enum class place : std::uint8_t { nowhere, units, buffer } waits = place::nowhere;  // owner's
    /// Home's: it waits for the record of a lease of `elsewhere`, and goes by that then.
    bool awaits_record = false;
    /// Messages on the way or at the owner: the request, its cancellation.
    unsigned travelling = 0;
    struct back_pointer : timer {
        using timer::timer;
        chunk_request* request = nullptr;
    };
    /// Of its deadline or its cancellation, as a message.
    [[nodiscard]] static chunk_request& of_message(work& message) noexcept {
        return *static_cast<back_pointer&>(static_cast<timer&>(message)).request;
    }
    back_pointer deadline;      ///< in the timers of where it waits for a record or a buffer
    back_pointer cancellation;  ///< the message that withdraws it
};

/// Where a request stands that waits for `wanted`, for people to read.
[[nodiscard]] where place_of(const chunk_request& waiting, const chunk_config& wanted) noexcept;

}  // namespace leat::detail
