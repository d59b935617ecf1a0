// Starts, cancels and ends the operations of one socket.
#include <leat/engine/detail/socket_state.hpp>
#include <leat/io/detail/misuse.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

namespace leat::detail {

namespace {
bool waits_for_peer(const io::operation& op) noexcept {
    return op.code == io::opcode::receive ||
           (op.code == io::opcode::poll && (op.number & POLLIN) != 0);
}

constexpr const char* elsewhere =
    "a tcp_stream was used or destroyed on another thread than its shard's: a connection stays "
    "where it was made; to move it, release() its descriptor there and assign() it here";
}  // namespace

socket_state::socket_state(shard& home, int descriptor) : home_(home), descriptor_(descriptor) {
    expect_home();
    stopped_ = home.stopping();
    if (!stopped_) home.add_stop_listener(stopper_);
}

socket_state::~socket_state() {
    assert(in_flight_.empty());
    leave_place();
    // Once stopped the alarm is not pending, and the shard may be gone.
    if (alarm_.pending()) home_.remove_timer(alarm_);
    if (descriptor_ >= 0) ::close(descriptor_);
}

void socket_state::expect_home() const noexcept {
    if (shard::current() == &home_ || stopped_ || home_.ended()) return;
    detail::misuse(elsewhere);
}

void socket_state::start(socket_operation& op) noexcept {
    expect_home();
    if (const int refused = refusal(); refused != 0) {
        fail(home_, op, refused);
    } else {
        op.timed_out = false;
        op.on_complete = &completed;
        op.in_flight = this;
        in_flight_.push_back(op);
        note_idleness();
        home_.backend().submit(op);
    }
}

int socket_state::refusal() const noexcept {
    if (stopped_) return -ECANCELED;
    return deadline_ <= home_.turn_time() ? -ETIMEDOUT : 0;
}

int socket_state::try_send(const msghdr& message) noexcept {
    assert(shard::current() == &home_);
    if (const int refused = refusal(); refused != 0) return refused;
    for (;;) {
        const auto sent = ::sendmsg(descriptor_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) return static_cast<int>(sent);
        if (errno != EINTR) return -errno;
    }
}

void socket_state::fail(shard& home, socket_operation& op, int result) noexcept {
    if (shard::current() != &home) detail::misuse(elsewhere);
    op.result = result;
    home.schedule(op);
}

void socket_state::cancel(socket_operation& op) noexcept {
    if (!op.in_flight) return;
    op.in_flight->expect_home();
    op.in_flight->home_.backend().cancel(op);
}

void socket_state::cancel_all() noexcept {
    expect_home();
    for (socket_operation& op : in_flight_) home_.backend().cancel(op);
}

int socket_state::release() noexcept {
    cancel_all();
    leave_place();
    return std::exchange(descriptor_, -1);
}

void socket_state::occupy_place(bool may_be_ended) noexcept {
    assert(!has_place_);
    has_place_ = true;
    may_be_ended_ = may_be_ended;
    if (stopped_) leave_place();
}

// Not after the engine has stopped: the shard may be gone.
void socket_state::leave_place() noexcept {
    if (std::exchange(has_place_, false)) home_.connections().leave(&place_);
}

// To be called when the operations in flight are others.
void socket_state::note_idleness() noexcept {
    if (!has_place_ || !may_be_ended_) return;
    if (!in_flight_.empty() && std::all_of(in_flight_.begin(), in_flight_.end(), waits_for_peer)) {
        home_.connections().idle(place_);
    } else {
        home_.connections().busy(place_);
    }
}

// Its user sees the end of what the peer sends, and the peer that of the connection.
void socket_state::end_idle() noexcept {
    ::shutdown(descriptor_, SHUT_RDWR);
}

void socket_state::set_deadline(io::time_point deadline) noexcept {
    expect_home();
    deadline_ = deadline;
    // Deadlines are mostly moved on and seldom met: an alarm that comes too early moves itself.
    if (stopped_ || (alarm_.pending() && alarm_.deadline <= deadline)) return;
    home_.remove_timer(alarm_);
    if (deadline != io::time_point::max()) home_.add_timer(alarm_, deadline);
}

void socket_state::deadline_reached() noexcept {
    if (deadline_ > home_.turn_time()) {
        set_deadline(deadline_);
        return;
    }
    for (socket_operation& op : in_flight_) {
        op.timed_out = true;
        home_.backend().cancel(op);
    }
}

void socket_state::engine_stops() noexcept {
    stopped_ = true;
    if (alarm_.pending()) home_.remove_timer(alarm_);
    leave_place();
    cancel_all();
}

void socket_state::completed(io::operation& done) noexcept {
    auto& op = static_cast<socket_operation&>(done);
    const boost::intrusive_ptr<socket_state> self = std::move(op.in_flight);
    self->in_flight_.erase(self->in_flight_.iterator_to(op));
    self->note_idleness();
    if (op.result == -ECANCELED && op.timed_out) op.result = -ETIMEDOUT;
    self->home_.schedule(op);
}

}  // namespace leat::detail
