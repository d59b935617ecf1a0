// One core's share of an engine: ring, mailboxes, timers, ready coroutines, and the loop over them.
#pragma once

#include <leat/engine/detail/connection_room.hpp>
#include <leat/engine/detail/doorbell.hpp>
#include <leat/engine/detail/end_listener.hpp>
#include <leat/engine/detail/frame_pool.hpp>
#include <leat/engine/detail/inbox.hpp>
#include <leat/engine/detail/listed_wait.hpp>
#include <leat/engine/detail/mailbox.hpp>
#include <leat/engine/detail/stall_watch.hpp>
#include <leat/engine/detail/stop_listener.hpp>
#include <leat/engine/detail/timer.hpp>
#include <leat/engine/detail/work.hpp>
#include <leat/engine/options.hpp>
#include <leat/engine/waiting_task.hpp>
#include <leat/io/backend.hpp>
#include <leat/io/detail/buffer_arena.hpp>
#include <leat/io/time_span.hpp>

#include <array>
#include <atomic>
#include <cassert>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace leat {

class engine;
class shard;

namespace detail {
class memory_keeper;
// Initial-exec: one load off the thread pointer. constinit on the declaration spares the wrapper
// call.
extern thread_local constinit shard* current_shard __attribute__((tls_model("initial-exec")));
}  // namespace detail

/// What a shard has done; counts never decrease.
struct shard_statistics {
    std::uint64_t turns = 0;
    std::uint64_t parks = 0;
    /// Nanoseconds without anything to do, spinning or parked; 0 in a hosted engine.
    std::uint64_t idle_ns = 0;
    std::uint64_t messages_received = 0;
    std::uint64_t messages_sent = 0;
    std::uint64_t mailbox_overflows = 0;  ///< messages that waited for room
    std::uint64_t doorbells = 0;          ///< times another shard was woken
    std::uint64_t stalls = 0;             ///< turns longer than engine_options::stall
    std::chrono::nanoseconds longest_turn{0};
    std::uint64_t accept_waits = 0;            ///< times that accepting waited for room
    std::uint64_t idle_connections_ended = 0;  ///< to make room; see tcp_acceptor
    std::int64_t frames = 0;                   ///< coroutine frames made less freed here
    io::backend_statistics backend;
    io::arena_statistics arena;
};

/// One shard. All members are for the shard's own thread, the one that calls turn(), unless said
/// otherwise.
///
/// Invariants, told by fault(): what is to be sent is listed once for each receiver, and goes one
/// way; a stop is told to all who listen, and only a shard that stops counts down to its end; one
/// that has ended runs no functions, and one that owes operations was given up; while something
/// holds it the engine has roots; waits stand in the order in which they began; and those of its
/// parts.
class shard {
public:
    shard(leat::engine& engine, unsigned index, unsigned shards);
    shard(const shard&) = delete;
    shard& operator=(const shard&) = delete;
    ~shard();

    /// The shard whose turn() runs on this thread, or nullptr.
    [[nodiscard]] static shard* current() noexcept { return detail::current_shard; }

    [[nodiscard]] unsigned index() const noexcept { return index_; }
    [[nodiscard]] leat::engine& engine() const noexcept { return engine_; }
    [[nodiscard]] io::backend& backend() const noexcept { return *backend_; }
    [[nodiscard]] const std::shared_ptr<io::buffer_arena>& arena() const noexcept { return arena_; }
    [[nodiscard]] io::time_point now() const noexcept { return backend_->now(); }
    /// The time when this turn began: free, for stamps that need no precision.
    [[nodiscard]] io::time_point turn_time() const noexcept { return turn_time_; }
    /// A stamp for what is to be told apart within a turn: the turn's time, or as much later as
    /// part_stamps() says. It never goes back.
    [[nodiscard]] io::time_point stamp_time() const noexcept { return stamp_time_; }
    /// Stamps taken from here on are later than those before, by 1 ns.
    void part_stamps() noexcept { stamp_time_ += std::chrono::nanoseconds{1}; }
    [[nodiscard]] std::uint64_t turn_number() const noexcept { return turns_; }

    /// Runs `item` later on this shard, in order.
    void schedule(detail::work& item) noexcept { ready_.push(item); }
    /// Runs `item` on shard `target` (this one included); order is kept for each pair of shards.
    /// What was written before is seen there.
    void send(unsigned target, detail::work& item) noexcept;
    /// As send(), from any thread, also one that is no shard; wakes the shard if it is parked. The
    /// caller sees to it that the engine does not end meanwhile.
    void send_from_outside(detail::work& item) noexcept;
    /// As send_from_outside(), and the engine may end meanwhile: returns false, and leaves `item`
    /// to the caller, once the shard has ended. Lock-free. The engine must not be destroyed before
    /// this has returned, except by what `item` brings about.
    [[nodiscard]] bool post_from_outside(detail::work& item) noexcept;
    /// Sends `item` to this shard, from any shard of any engine or any other thread. A shard that
    /// has ended, since its engine gave up, never runs it.
    void deliver(detail::work& item) noexcept;

    void add_timer(detail::timer& item, io::time_point deadline) noexcept {
        item.deadline = deadline;
        timers_.add(item);
    }
    void remove_timer(detail::timer& item) noexcept { timers_.remove(item); }
    /// `length` from now, or time_point::max() if that lies beyond it.
    [[nodiscard]] io::time_point after(time_span length) const noexcept {
        return later(now(), length);
    }

    /// The connections accepted here.
    [[nodiscard]] detail::connection_room& connections() noexcept { return connections_; }

    /// Stop requests for what runs on this shard.
    [[nodiscard]] const std::stop_token& stop_token() const noexcept { return stop_token_; }
    [[nodiscard]] bool stopping() const noexcept { return stop_token_.stop_requested(); }

    /// From now on `listener` is told when the shard sees that the engine stops; not after that:
    /// look at stopping() first.
    void add_stop_listener(detail::stop_listener& listener) noexcept {
        assert(!stopping());
        stop_listeners_.push_back(listener);
    }

    /// Makes the backend and gives the arena to it. Called once, on the thread that will call
    /// turn(), before all else; engine::start does so, a program that steps shards itself does it
    /// for each. Until then messages for the shard wait. Throws what making the backend throws and,
    /// in a hosted engine that stops, leat::system_error with errc::stopped; it may then be called
    /// again.
    void open();
    /// One turn: inbox, timers, ready work within a budget, messages out, one submit, completions.
    /// Returns whether anything was done. Never waits. On the thread that opened the shard, and
    /// never from inside its own turn.
    bool turn();
    /// Waits until a completion, a message, a timer, or `limit`, without using the CPU.
    void park(io::time_point limit = io::time_point::max());
    /// Turns, spins and parks until the engine lets it go; see engine::join.
    void run();
    /// Whether the loop over turn() and park() is to end: after engine::stop(), as soon as no task
    /// and nothing in flight is left, or when stop_timeout has passed. The shard is not to be
    /// turned again once this was true: its backend may be gone.
    [[nodiscard]] bool finished() noexcept;

    /// Leaves what this turn's ready work makes ready to the next turn: what has been prepared for
    /// the device goes to it first.
    void submit_soon() noexcept { submits_soon_ = true; }

    /// Counts down the hits that may go by before a coroutine yields; refilled each turn.
    [[nodiscard]] bool spend_hit() noexcept { return --hits_left_ >= 0; }
    [[nodiscard]] std::uint64_t hits() const noexcept {
        return hits_before_ + static_cast<std::uint64_t>(hits_a_turn - hits_left_);
    }

    /// Resumes a coroutine of this shard, on its thread; a stall is then told with its name.
    void resume(std::coroutine_handle<> coroutine) noexcept {
        watch_.resuming(coroutine);
        coroutine.resume();
    }

    /// Keeps the engine from ending while something runs on this shard that is no task, such as a
    /// fill; counted together as one of the engine's roots.
    void hold() noexcept;
    void unhold() noexcept;
    /// Any thread: keeps the engine from ending, by stop_timeout at most, while something that is
    /// no task is to run here later. Counted for each shard: costs no line that shards share, as
    /// long as there is some.
    void work_begins() noexcept;
    void work_ends() noexcept;
    /// Whether functions from outside leat are still to be run here, rather than only destroyed.
    [[nodiscard]] bool runs_functions() const noexcept { return runs_functions_; }
    /// Any thread: whether it is not to be turned again, nor anything on it to be used.
    [[nodiscard]] bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }
    /// Ends that; on the shard, when nothing else is left to do.
    void end_functions() noexcept { runs_functions_ = false; }
    /// Whether something waits for its turn in the ready queue.
    [[nodiscard]] bool has_ready() const noexcept { return !ready_.empty(); }
    /// Tells options().on_event of the exception that is being handled: a function from outside
    /// leat has thrown it, and the shard goes on.
    void report_thrown() const noexcept;
    /// Any thread: makes a parked shard look at its work.
    void nudge() noexcept;

    /// From now on `listener` is told when the shard ends; the last one added is told first.
    void add_end_listener(detail::end_listener& listener) noexcept {
        end_listeners_.push_front(listener);
    }

    /// Lists a wait that begins now, of a task with that name or nullptr.
    void list_wait(detail::listed_wait& one, const char* name) noexcept {
        one.begin(name, turn_time_);
        waits_.push_back(one);
    }
    /// The waits that began first, at most `limit`, oldest first. See engine::waiting().
    [[nodiscard]] std::vector<waiting_task> waiting(std::size_t limit) const;
    /// nullptr, or which invariant is broken; on the shard, from no message and no function that it
    /// runs.
    [[nodiscard]] const char* fault() const noexcept;
    /// On the shard, or after join; engine::statistics() asks from elsewhere.
    [[nodiscard]] shard_statistics statistics() const;

    /// Which layer above extends a shard; one of each.
    enum class slot : std::uint8_t { cache, asio };
    static constexpr std::size_t slots = 2;

    /// What a layer above keeps on a shard, and what it does each turn.
    struct extension {
        void* state = nullptr;
        /// At the end of the turn's work; returns how much it has done that may bring about more.
        std::size_t (*before_submit)(void* state) noexcept = nullptr;
        /// Whether that has something to do, while parking.
        bool (*pending)(void* state) noexcept = nullptr;
    };
    /// Any thread; what the extension refers to is seen by the shard (release, acquire). It must
    /// live until the shard has ended or another is attached.
    void attach(const extension& added, slot where = slot::cache) noexcept {
        if (where == slot::cache) cache_state_.store(added.state, std::memory_order_release);
        extensions_[static_cast<std::size_t>(where)].store(&added, std::memory_order_release);
    }
    /// The state of the cache's extension, nullptr without one. Whoever uses it knows of the
    /// extension by a message.
    [[nodiscard]] void* cache_state() const noexcept {
        return cache_state_.load(std::memory_order_relaxed);
    }
    /// Any thread: the extension that is attached there, or one without state that does nothing.
    [[nodiscard]] const extension& extension_of(slot where) const noexcept {
        return *extensions_[static_cast<std::size_t>(where)].load(std::memory_order_acquire);
    }

private:
    friend class engine;
    friend class detail::frame_pool;
    friend class host_loop;
    friend struct tampering;                           // tests break what fault() tells
    static constexpr std::int32_t hits_a_turn = 1023;  ///< the next one lets others go first
    static constexpr unsigned ready_a_turn = 256;

    void open_backend();
    void make_backend();
    void expect_opener() const noexcept;
    void expect_turn() const noexcept;
    [[nodiscard]] bool has_work() const noexcept;
    [[nodiscard]] bool memory_unprepared() const noexcept;
    [[nodiscard]] bool stop_due() const noexcept;  // the tokens have not been triggered yet
    [[nodiscard]] std::chrono::nanoseconds spin_limit() const noexcept;
    [[nodiscard]] std::uint64_t idle_time_ns() const noexcept;
    [[nodiscard]] bool begin_park() noexcept;
    void end_park() noexcept { doorbell_.unpark(); }
    [[nodiscard]] io::time_point next_deadline() const noexcept;
    std::size_t receive() noexcept;
    std::size_t run_ready() noexcept;
    std::size_t run_some(detail::work_queue& of, std::size_t count) noexcept;
    void flush() noexcept;
    void end() noexcept;
    void run_last() noexcept;
    void tell_end() noexcept;
    void note_stall(io::time_point begin) noexcept;
    [[nodiscard]] const char* fault_of_routes() const noexcept;
    [[nodiscard]] const char* fault_of_end() const noexcept;

    leat::engine& engine_;
    const unsigned index_;
    // The hit path's line.
    alignas(64) std::int32_t hits_left_ = hits_a_turn;
    std::uint64_t turns_ = 1;
    io::time_point turn_time_{};
    io::time_point stamp_time_{};
    std::uint64_t hits_before_ = 0;
    bool submits_soon_ = false;
    std::atomic<void*> cache_state_{nullptr};
    std::array<std::atomic<const extension*>, slots> extensions_;

    detail::work_queue ready_;
    detail::timer_queue timers_;
    std::unique_ptr<detail::memory_keeper> keeper_;  ///< on one shard, if it is asked for
    detail::connection_room connections_{*this};
    std::unique_ptr<io::backend> backend_;
    std::shared_ptr<io::buffer_arena> arena_;
    detail::frame_pool frames_;
    std::stop_source stop_source_;
    std::stop_token stop_token_ = stop_source_.get_token();
    // outgoing_[t] is the mailbox to shard t, made at its first use. Where that fails for want of
    // memory, the target's inbox takes its place for good: order is kept for each pair either way.
    struct route {
        std::atomic<detail::mailbox<>*> box{nullptr};
        bool dirty = false;
        bool by_inbox = false;
    };
    std::vector<route> outgoing_;
    std::vector<unsigned> dirty_;  // targets with something to flush; its room is reserved
    bool congested_ = false;
    detail::doorbell<> doorbell_;
    detail::inbox<> inbox_;
    alignas(64) std::atomic<std::uint64_t> outstanding_{0};  // see work_begins()
    detail::stop_listener_list stop_listeners_;
    detail::wait_list waits_;
    detail::end_listener_list end_listeners_;
    shard_statistics counts_;
    detail::stall_watch watch_;
    io::time_point next_stall_report_{};
    io::time_point idle_since_{};  // while idle_: the first turn that found nothing to do
    bool idle_ = false;
    float soon_ = 1;  // running share of idle times that ended within the longest spin
    std::uint64_t holds_ = 0;
    std::atomic<std::thread::id> opener_{};
    io::time_point stop_deadline_ = io::time_point::max();  // by the backend's clock; set on stop
    bool in_turn_ = false;
    std::atomic<bool> ended_{false};
    bool runs_functions_ = true;
    std::string owed_;  // set when stop_timeout passed
    bool abandoned_ = false;
};

namespace detail {
/// misuse(): something that belongs to a shard was used on a thread that runs none.
[[noreturn, gnu::cold]] void off_the_shards() noexcept;
}  // namespace detail

/// The shard that runs on this thread. Programmer's error if there is none, which ends the program.
[[nodiscard]] inline shard& this_shard() noexcept {
    shard* const here = shard::current();
    if (here == nullptr) [[unlikely]]
        detail::off_the_shards();
    return *here;
}

}  // namespace leat
