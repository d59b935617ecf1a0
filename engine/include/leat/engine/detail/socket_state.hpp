// A connected or connecting socket and the operations in flight on it.
#pragma once

#include <leat/engine/detail/calling.hpp>
#include <leat/engine/shard.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <sys/socket.h>

#include <cstddef>

namespace leat::detail {

class socket_state;

/// One operation on a socket. Its user prepares it as an io::operation and hands it to
/// socket_state::start; when it has ended, the shard's ready queue runs it as work, once, with the
/// outcome in `result`: a value, or a negated errno (-ETIMEDOUT if the socket's deadline ended it,
/// -ECANCELED if it was cancelled otherwise).
struct socket_operation : io::operation, work {
    using work::work;
    boost::intrusive::list_member_hook<> link;     ///< kept by the socket
    boost::intrusive_ptr<socket_state> in_flight;  ///< the socket, until the backend has completed
    bool timed_out = false;
};

/// Owns a socket's descriptor for as long as anybody refers to it: whoever uses the socket, and
/// each operation until it has completed. So the descriptor is closed, and its number given back,
/// when the kernel is done with it.
///
/// For its shard's thread only: another one ends the program with a sentence. Once the engine has
/// stopped any thread may let go of it. When the engine stops all operations are cancelled, and
/// later ones end at once with -ECANCELED. It may outlive the engine if no operation is in flight.
class socket_state {
public:
    /// Takes the descriptor, unless it throws std::bad_alloc.
    [[nodiscard]] static boost::intrusive_ptr<socket_state> make(shard& home, int descriptor) {
        return {new socket_state(home, descriptor)};
    }
    socket_state(const socket_state&) = delete;
    socket_state& operator=(const socket_state&) = delete;

    [[nodiscard]] shard& home() const noexcept { return home_; }
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

    /// Starts a prepared operation. It runs from the ready queue, never from inside, also if it
    /// fails at once.
    void start(socket_operation& op) noexcept;
    /// Sends as much of the message as the socket has room for, at once and without waiting:
    /// returns the count, or a negated errno: -EAGAIN if there is no room, else as start() ends a
    /// send. At most INT_MAX bytes.
    [[nodiscard]] int try_send(const msghdr& message) noexcept;
    /// Ends an operation that never started, with a negated errno, in the same way.
    static void fail(shard& home, socket_operation& op, int result) noexcept;
    /// Asks for an early end. No effect on an operation that has completed.
    static void cancel(socket_operation& op) noexcept;
    void cancel_all() noexcept;
    /// Cancels all and gives the descriptor away.
    [[nodiscard]] int release() noexcept;

    /// A connection that has entered its shard's connection_room: it leaves when it is closed or
    /// released. While it `may_be_ended` and its peer alone is waited for, it counts as idle.
    void occupy_place(bool may_be_ended) noexcept;

    /// Operations that have not ended by then are ended, and later ones end at once, until another
    /// deadline is set; time_point::max() is none.
    void set_deadline(io::time_point deadline) noexcept;

private:
    using operations =
        boost::intrusive::list<socket_operation,
                               boost::intrusive::member_hook<socket_operation,
                                                             boost::intrusive::list_member_hook<>,
                                                             &socket_operation::link>,
                               boost::intrusive::constant_time_size<false>>;

    socket_state(shard& home, int descriptor);
    ~socket_state();
    static void* operator new(std::size_t size) { return frame_pool::allocate(size); }
    static void operator delete(void* memory, std::size_t size) noexcept {
        frame_pool::release(memory, size);
    }
    friend void intrusive_ptr_add_ref(socket_state* self) noexcept { ++self->references_; }
    friend void intrusive_ptr_release(socket_state* self) noexcept {
        if (--self->references_ == 0) delete self;
    }

    /// 0, or why nothing is started any more: a negated errno.
    [[nodiscard]] int refusal() const noexcept;
    void note_idleness() noexcept;
    void leave_place() noexcept;
    void end_idle() noexcept;
    void expect_home() const noexcept;
    static void completed(io::operation& done) noexcept;
    void deadline_reached() noexcept;
    void engine_stops() noexcept;

    shard& home_;
    int descriptor_;
    unsigned references_ = 0;
    bool stopped_ = false;
    bool has_place_ = false;
    bool may_be_ended_ = false;
    operations in_flight_;
    calling<connection_place, &socket_state::end_idle> place_{*this};
    io::time_point deadline_ = io::time_point::max();
    // Due at the deadline or before it: then it looks again.
    calling<timer, &socket_state::deadline_reached> alarm_{*this};
    calling<stop_listener, &socket_state::engine_stops> stopper_{*this};
};

}  // namespace leat::detail
