// A shard inside an event loop that is not leat's.
#pragma once

#include <leat/engine/engine.hpp>

#include <ctime>

namespace leat {

/// Steps one shard of a hosted engine (engine_options::hosted) on a thread that has a loop of its
/// own: poll(2), epoll, a GUI's, an io_context's.
///
/// The thread that makes it opens the shard, and is the only one that may call a member. One thread
/// may have several. Each turn() gives what waits a go, within the budget of a shard's turn. While
/// it returns true it is to be called again soon, though the host's own business may go first. Once
/// it has returned false there is nothing to do until descriptor() is readable or next_deadline()
/// has come; a message or a stop() from any thread makes the descriptor readable, too. Never spins:
/// engine_options::spin means nothing here.
///
///     void serve(leat::engine& engine) {
///         leat::host_loop loop{engine};  // shard 0
///         while (!loop.finished()) {
///             if (loop.turn()) continue;
///             pollfd waited{loop.descriptor(), POLLIN, 0};
///             timespec left{};
///             ::ppoll(&waited, 1, loop.time_left(left), nullptr);
///         }
///         engine.join();
///     }
///
/// The engine must outlive it, unless it has finished. If it is destroyed before the shard has
/// finished, another may not take its place; engine::join() on this thread then steps the shard to
/// its end. What a program does wrong here ends it with a sentence: a second loop for a shard, one
/// for an engine with threads of its own, a turn on another thread or inside its own turn, by a
/// coroutine, engine::run on the loop's own thread, an engine that is destroyed first.
class host_loop {
public:
    /// Opens the shard. Throws what shard::open() throws, errc::invalid_option if there is no such
    /// shard, or an error of the system if it has no descriptor to wait for.
    explicit host_loop(leat::engine& engine, unsigned shard = 0);
    host_loop(const host_loop&) = delete;
    host_loop& operator=(const host_loop&) = delete;
    ~host_loop();

    /// One turn of the shard. Returns whether work is left; if not, the shard counts as parked
    /// until the next call. Returns true when the shard has just finished, lest the host wait for
    /// it; after that does nothing and returns false. What was written before a send to the shard
    /// is seen by the turn that receives it. Never waits. A backend that fails for good ends the
    /// engine, as it would on leat's own threads.
    bool turn() noexcept;

    /// Readable when there is something to do, after turn() has returned false; the same for as
    /// long as the loop lives. Only to be waited for, never read or closed. -1 if the shard's
    /// backend is the program's own and has none.
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

    /// When turn() is to be called though the descriptor is not readable: a timer, or the end of
    /// the engine's patience while it stops. time_point::max() if there is no such time.
    [[nodiscard]] io::time_point next_deadline() const noexcept;

    /// The time from now until next_deadline(), at least 0, as ppoll(2) and epoll_pwait2(2) take
    /// it: &left, or nullptr where they are to wait without end.
    [[nodiscard]] timespec* time_left(timespec& left) const noexcept;

    /// Whether the engine was stopped and the shard has ended: the loop is to be left. After that
    /// any thread may destroy it.
    [[nodiscard]] bool finished() const noexcept { return finished_; }

private:
    [[nodiscard]] bool step();
    void finish() noexcept;

    shard& shard_;  // while not finished_: the engine may then be gone
    int descriptor_ = -1;
    bool parked_ = false;
    bool finished_ = false;
};

}  // namespace leat
