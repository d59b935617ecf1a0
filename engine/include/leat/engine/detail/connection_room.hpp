// How many connections a shard accepts, and which idle one ends when another wants in.
#pragma once

#include <leat/engine/detail/calling.hpp>
#include <leat/engine/detail/timer.hpp>

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace leat {
class shard;
}

namespace leat::detail {

/// A connection that a shard has accepted, as far as it may be ended while it is idle.
struct connection_place : boost::intrusive::list_base_hook<> {
    using function = void (*)(connection_place&) noexcept;
    explicit connection_place(function end_) noexcept : end(end_) {}

    function end;  ///< ends the connection, so that its user notices and leaves
    io::time_point idle_since{};
    bool ending = false;
};

/// Somebody who would accept a connection; told when there is room, and no longer listed then.
/// Leaves the list when it is destroyed.
struct room_waiter
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    using function = void (*)(room_waiter&) noexcept;
    explicit room_waiter(function on_room_) noexcept : on_room(on_room_) {}

    function on_room;
    bool ends_idle = true;  ///< the longest idle connection is ended for it
};

/// The accepted connections of one shard: no more than its backend has credit for, each with one
/// operation in flight, so that every one of them is served. Where there is no room for another,
/// accepting waits, and those who wait for a peer stay in the kernel's backlog; the connection that
/// has been idle for longest is ended to make room. For its shard's thread only.
///
/// Invariants, told by fault(): who is idle or told to end is open, and not both; the idle ones
/// stand in the order in which they became so; nobody waits while there is room.
class connection_room {
public:
    /// A connection that has been idle for less is left alone: what its peer sends may be on its
    /// way.
    static constexpr std::chrono::milliseconds idle_patience{20};

    explicit connection_room(shard& home) noexcept : home_(home) {}
    connection_room(const connection_room&) = delete;
    connection_room& operator=(const connection_room&) = delete;
    ~connection_room();

    [[nodiscard]] bool has_room() const noexcept;
    /// A connection is accepted.
    void enter() noexcept { ++open_; }
    /// One of them has ended, which may have had a place.
    void leave(connection_place* place) noexcept;
    /// The connection's peer is waited for, and nothing else, from now on.
    void idle(connection_place& place) noexcept;
    /// It is not any more; no effect if it was not idle.
    void busy(connection_place& place) noexcept;
    /// Tells `one` when there is room; has_room() is false.
    void wait(room_waiter& one) noexcept;

    /// Connections that were ended so.
    [[nodiscard]] std::uint64_t ended() const noexcept { return ended_; }
    /// How often accepting had to wait.
    [[nodiscard]] std::uint64_t waits() const noexcept { return waits_; }
    /// nullptr, or which invariant is broken. The shard must be open.
    [[nodiscard]] const char* fault() const noexcept;

private:
    friend struct tampering;  // tests break what fault() tells
    void make_room() noexcept;

    shard& home_;
    std::size_t open_ = 0;
    std::size_t ending_ = 0;  ///< of them, those that were told to end
    std::uint64_t ended_ = 0;
    std::uint64_t waits_ = 0;
    boost::intrusive::list<connection_place> idle_;  ///< the longest first
    boost::intrusive::list<room_waiter, boost::intrusive::constant_time_size<false>> waiting_;
    calling<timer, &connection_room::make_room> patience_{*this};
};

}  // namespace leat::detail
