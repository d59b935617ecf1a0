// Matches accepted connections with those who wait for them.
#include <leat/engine/detail/accept_queue.hpp>
#include <leat/io/detail/misuse.hpp>

#include <unistd.h>

#include <cassert>
#include <utility>

namespace leat::detail {

accept_queue::accept_queue(shard& home, int descriptor) : home_(home), descriptor_(descriptor) {
    expect_home();
    closed_ = home.stopping();
    if (!closed_) home.add_stop_listener(stopper_);
}

accept_queue::~accept_queue() {
    assert(waiting_.empty() && !accept_.in_flight);
    for (const int connection : ready_) ::close(connection);
    if (descriptor_ >= 0) ::close(descriptor_);
}

// Closed, too, when the engine stops: then anybody may let go of it.
void accept_queue::expect_home() const noexcept {
    if (shard::current() == &home_ || closed_ || home_.ended()) return;
    detail::misuse(
        "a tcp_acceptor was used or destroyed on another thread than its shard's: make one on each "
        "shard, with `share` for one endpoint");
}

void accept_queue::wait(waiter& one) noexcept {
    expect_home();
    if (closed_) {
        one.finish(-ECANCELED);
        return;
    }
    waiting_.push_back(one);
    proceed();
    assert(fault() == nullptr);
}

const char* accept_queue::fault() const noexcept {
    if (references_ == 0) return "a listening socket is used that nobody refers to";
    if (closed_) {
        if (!waiting_.empty()) return "somebody waits at a closed listening socket";
        return ready_.empty() ? nullptr : "a closed listening socket keeps connections";
    }
    if (waiting_.empty() || accept_.in_flight) return nullptr;
    if (!room_.is_linked()) return "somebody waits for connections that are not accepted";
    if (!ready_.empty() && home_.connections().has_room())
        return "somebody waits though a connection is ready";
    return nullptr;
}

// Hands out what it has, and sees to it that there will be more.
void accept_queue::proceed() noexcept {
    detail::connection_room& room = home_.connections();
    while (!waiting_.empty() && !ready_.empty() && room.has_room()) {
        room.enter();
        waiting_.front().finish(ready_.front());
        ready_.pop_front();
    }
    if (!waiting_.empty() && !room.has_room()) {
        room.wait(room_);
    } else if (ready_.size() <= ahead / 2) {
        arm();
    }
}

void accept_queue::close() noexcept {
    expect_home();
    closed_ = true;
    room_.unlink();
    cancel_all();
    if (accept_.in_flight) home_.backend().cancel(accept_);
    for (const int connection : ready_) ::close(connection);
    ready_.clear();
    assert(fault() == nullptr);
}

int accept_queue::release() noexcept {
    close();
    return std::exchange(descriptor_, -1);
}

void accept_queue::arm() noexcept {
    if (closed_ || accept_.in_flight || !home_.connections().has_room()) return;
    accept_.prepare_accept_multishot(descriptor_);
    accept_.on_complete = &completed;
    accept_.in_flight = this;
    home_.backend().submit(accept_);
}

void accept_queue::completed(io::operation& done) noexcept {
    auto& op = static_cast<accept_operation&>(done);
    if (op.more) {
        accept_queue& self = *op.in_flight;
        self.keep(op.result);
        const bool enough = self.ready_.size() >= ahead || !self.home_.connections().has_room();
        if (enough) self.home_.backend().cancel(op);
        return;
    }
    const boost::intrusive_ptr<accept_queue> self = std::move(op.in_flight);
    self->ended(op.result);
    assert(self->fault() == nullptr);
}

void accept_queue::ended(int result) noexcept {
    if (result >= 0) {
        keep(result);
    } else if (result != -ECANCELED) {
        if (!waiting_.empty()) waiting_.front().finish(result);
        // Not tried again before somebody asks: it would most likely fail for ever.
        if (waiting_.empty()) return;
    }
    if (!closed_) proceed();
}

void accept_queue::keep(int connection) noexcept {
    if (!waiting_.empty() && ready_.empty() && home_.connections().has_room()) {
        home_.connections().enter();
        waiting_.front().finish(connection);
        return;
    }
    try {
        if (!closed_) {
            ready_.push_back(connection);
            return;
        }
    } catch (const std::bad_alloc&) {
    }
    ::close(connection);
}

}  // namespace leat::detail
