// A listening socket, the connections it has accepted, and who waits for them.
#pragma once

#include <leat/engine/detail/calling.hpp>
#include <leat/engine/detail/waiter.hpp>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <cstddef>
#include <deque>

namespace leat::detail {

/// Owns a listening descriptor and accepts from it while somebody waits, and a little ahead:
/// connections that nobody has asked for yet wait here, and when there are `ahead` of them
/// accepting pauses, so that the others wait in the kernel's backlog or go to other listeners. Of a
/// burst that the kernel accepts at once there may be more. It pauses, too, while the shard's
/// connection_room is full.
///
/// For its shard's thread only; may outlive the engine. The descriptor is closed when nobody refers
/// to it and the kernel is done with it. When the engine stops it closes by itself.
///
/// Invariants, told by fault(): once it is closed nobody waits and nothing is kept; while somebody
/// waits, it accepts or waits for room; a connection waits for nobody while there is room.
class accept_queue {
public:
    static constexpr std::size_t ahead = 64;

    /// Takes the descriptor, unless it throws std::bad_alloc.
    [[nodiscard]] static boost::intrusive_ptr<accept_queue> make(shard& home, int descriptor) {
        return {new accept_queue(home, descriptor)};
    }
    accept_queue(const accept_queue&) = delete;
    accept_queue& operator=(const accept_queue&) = delete;

    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    /// Whether no idle connection is ended to make room for those who wait here.
    void keep_idle(bool on) noexcept { room_.ends_idle = !on; }
    /// Finishes `one` with a connection's descriptor, or with an error of accept(2): one that
    /// passes, such as -EMFILE, is told to one waiter, and the next tries again. The connection has
    /// entered the shard's connection_room; who gets it sees to it that it leaves.
    void wait(waiter& one) noexcept;
    /// Finishes those that wait with -ECANCELED.
    void cancel_all() noexcept {
        expect_home();
        finish_all(waiting_, -ECANCELED);
    }
    /// Cancels all and drops the connections nobody has asked for; ends accepting.
    void close() noexcept;
    /// As close(), but gives the descriptor away.
    [[nodiscard]] int release() noexcept;
    /// nullptr, or which invariant is broken.
    [[nodiscard]] const char* fault() const noexcept;

private:
    friend struct tampering;  // tests break what fault() tells
    struct accept_operation : io::operation {
        boost::intrusive_ptr<accept_queue> in_flight;
    };

    accept_queue(shard& home, int descriptor);
    ~accept_queue();
    friend void intrusive_ptr_add_ref(accept_queue* self) noexcept { ++self->references_; }
    friend void intrusive_ptr_release(accept_queue* self) noexcept {
        if (--self->references_ == 0) delete self;
    }

    void expect_home() const noexcept;
    static void completed(io::operation& done) noexcept;
    void ended(int result) noexcept;
    void keep(int connection) noexcept;
    void proceed() noexcept;
    void arm() noexcept;

    shard& home_;
    int descriptor_;
    unsigned references_ = 0;
    bool closed_ = false;
    accept_operation accept_;
    waiter_list waiting_;
    std::deque<int> ready_;
    calling<room_waiter, &accept_queue::proceed> room_{*this};
    calling<stop_listener, &accept_queue::close> stopper_{*this};
};

}  // namespace leat::detail
