// The engine: shards, their threads, and where tasks run.
#pragma once

#include <leat/engine/detail/outside_waits.hpp>
#include <leat/engine/detail/service.hpp>
#include <leat/engine/detail/started_task.hpp>
#include <leat/engine/options.hpp>
#include <leat/engine/shard.hpp>
#include <leat/engine/task.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace leat {

namespace detail {
class memory_keeper;
class root;
template <class T>
root run_root(leat::engine& engine, task<T> job, std::shared_ptr<started_state<T>> state);
}  // namespace detail

/// How an engine ended.
struct stop_report {
    boost::system::error_code
        code;          ///< errc::timed_out if something did not end within stop_timeout
    std::string owed;  ///< then: which operations or tasks
    std::vector<waiting_task> waiting;  ///< then: the waits that began first, at most 10 a shard
    std::size_t held = 0;               ///< slices that users still hold; their bytes stay readable
};

/// A fixed set of shards. One object may be used from several threads, except for its destruction.
///
/// Destroying an engine stops and joins it first, and waits for a coroutine that does not return to
/// its shard, however long. It must not be destroyed on one of its shards: where std::exit in a
/// coroutine does that to an engine of static storage, the process ends at once, with that status
/// and a sentence on standard error.
///
/// A process that forks leaves its shards behind: in the child an engine that had been started can
/// only be destroyed, which waits for nothing there, or stopped, which does nothing. The child may
/// start others, and one that its parent made and had not started.
///
/// A hosted engine (engine_options::hosted) has no threads: the program opens each shard on a
/// thread, which may be the same for several, and steps it there, best by a host_loop. Tasks and
/// messages for a shard that is not open yet wait. What blocks for a task, such as run(), belongs
/// on another thread than those that step.
class engine {
public:
    /// Resolves the options; throws as leat::resolve does. Starts nothing.
    explicit engine(engine_options options = {});
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine();

    /// Starts the shards and returns when all run. No effect if they do. Throws
    /// boost::system::system_error: errc::no_backend, whose what() names the likely cause,
    /// errc::stopped after stop() or a failed start, or the system's error.
    void start();
    /// Asks everything to end: stop tokens are triggered, new requests fail with errc::stopped. Any
    /// thread, shards included; returns at once.
    void stop() noexcept;
    /// Waits until every shard has ended after stop(), at most about stop_timeout longer; then
    /// gives up what the device still owes rather than free it. Not on a shard. In a hosted engine
    /// it steps those shards to their end that the calling thread has opened, and gives up those
    /// that their hosts do not.
    stop_report join();

    /// Runs `job` on shard 0, blocks until it has ended, and returns its value.
    ///
    ///     const std::string text = engine.run(page_of(manager, file));
    ///
    /// Starts the engine if need be. The engine goes on running afterwards.
    ///
    /// Threads: any that is no shard, several at once. On a shard the task is to be awaited, and a
    /// thread that steps a shard of a hosted engine would wait for itself: both end the program
    /// with a sentence. What the caller wrote before is seen by the job, and what the job wrote by
    /// the caller afterwards.
    ///
    /// Cancellation: only the engine's stop reaches the job. To wait with a time limit or a stop
    /// token use spawn_on() and get().
    ///
    /// Errors: throws what escapes the job, as it is; what start() throws; and errc::stopped if an
    /// engine that stops gives up the job, or does not take it any more.
    template <class T>
    T run(task<T> job);
    /// Starts `job` on `shard`, and returns at once, with the handle to it.
    ///
    ///     leat::spawned<std::string> text = engine.spawn_on(1, page_of(manager, file));
    ///     use(co_await std::move(text));  // or, on a thread that is no shard, text.get()
    ///
    /// Starts the engine if need be, except on a shard.
    ///
    /// Threads: any. What the caller wrote before is seen by the job, and what the job wrote by
    /// whoever takes its outcome. Jobs that one thread sends to one shard begin in that order.
    ///
    /// Lifetime: the task is moved into the job. What it refers to must live until it ends, and the
    /// handle need not: see spawned.
    ///
    /// Cancellation: stop requests of the engine reach the job, and so do, while the handle is
    /// held, those of `stop` and, once the handle is awaited, those of the task that awaits it. A
    /// task that holds several handles and awaits one after the other passes its own token:
    ///
    ///     const std::stop_token mine = co_await leat::current_stop_token{};
    ///     auto left = engine.spawn_on(1, half(manager, 0), mine);
    ///     auto right = engine.spawn_on(2, half(manager, 1), mine);
    ///     co_await std::move(left);
    ///     co_await std::move(right);
    ///
    /// Errors: throws errc::invalid_option if there is no such shard, std::bad_alloc, and what
    /// start() throws, errc::stopped among it. What the job throws comes out of the handle. While
    /// the engine stops, its own tasks may still spawn jobs, which are asked to stop from the
    /// beginning; any other job is destroyed without being run, and its handle gives errc::stopped.
    template <class T>
    auto spawn_on(unsigned shard, task<T> job, std::stop_token stop = {});
    /// Runs a task on every shard, and waits for all of them.
    ///
    ///     auto one = [&](unsigned shard) { return half(manager, shard); };
    ///     co_await engine.run_on_each(one);
    ///
    /// Calls function(index), which gives a task<>, for each shard in turn, on the shard that
    /// awaits this, and runs each task on its shard.
    ///
    /// Threads: awaited on a shard. What was written before is seen by all tasks, and what they
    /// wrote by whoever awaits.
    ///
    /// Lifetime: `function` is kept until all have ended, so that it may be a lambda with captures
    /// that is a coroutine itself. What it refers to is then used by all shards at once.
    ///
    /// Cancellation: stop requests of the task that awaits it reach all of them.
    ///
    /// Errors: all are waited for, whatever happens. Then what `function` threw is thrown, or else
    /// the error of the first shard that has one. An error stops none of the others. An exception
    /// that is no boost::system::system_error arrives as errc::unhandled_exception.
    template <class Function>
    task<> run_on_each(Function function);

    [[nodiscard]] unsigned shards() const noexcept { return static_cast<unsigned>(shards_.size()); }
    /// Throws errc::invalid_option if there is no such shard.
    [[nodiscard]] shard& at(unsigned index) {
        if (index >= shards_.size()) [[unlikely]]
            no_such_shard(index);
        return *shards_[index];
    }
    [[nodiscard]] const engine_options& options() const noexcept { return options_; }
    /// Bytes that all shards may use together now: at first options().memory.
    [[nodiscard]] std::uint64_t memory() const noexcept {
        return memory_.load(std::memory_order_relaxed);
    }
    /// Changes it, while the shards run. What is too much is let go as soon as neither pins nor
    /// reads keep it; statistics tell what is left. Any thread; returns at once.
    ///
    ///     engine.set_memory(engine.options().memory / 2);
    ///
    /// Throws errc::invalid_option if it is more than options().most_memory, and
    /// errc::budget_too_small if it is less than least_memory().
    void set_memory(std::uint64_t bytes);
    /// Bytes that all shards need together: two chunks each, of the longest for which
    /// reserve_chunks() was called, and what segments of memory() at the start lose beside them.
    /// Any thread.
    [[nodiscard]] std::uint64_t least_memory() const noexcept {
        return shards() * least_.load(std::memory_order_relaxed);
    }
    /// From now on each shard is to keep room for two chunks of `size` bytes, as a manager needs
    /// that has such chunks. False, and nothing has changed, if memory() has none. Any thread.
    [[nodiscard]] bool reserve_chunks(std::uint64_t size);
    /// A shard's part of memory().
    [[nodiscard]] std::uint64_t memory_per_shard() const noexcept { return memory() / shards(); }
    [[nodiscard]] bool stopping() const noexcept { return stopping_.load(); }
    /// When stopping gives up; meaningful after stop().
    [[nodiscard]] io::time_point stop_deadline() const noexcept {
        return io::time_point{io::clock::duration{stop_deadline_.load()}};
    }

    /// The tasks that wait, at most `limit`, those first that have waited longest, of equal ones by
    /// shard and then in the order in which they began: with name, shard, age and what they await.
    /// Each shard is asked by a message, and what runs there is not kept waiting; one that has not
    /// answered after `patience` is kept inside a turn by somebody, and comes first. Any thread
    /// that is no shard; it blocks for that long at most. Empty before start() and after join().
    /// Only waits for chunks, time, operations, joins, locks and the like count: not what is ready
    /// and waits for its turn.
    ///
    ///     for (const leat::waiting_task& one : engine.waiting(20))
    ///         std::puts(to_string(one).c_str());
    [[nodiscard]] std::vector<waiting_task> waiting(std::size_t limit = 20,
                                                    time_span patience = default_patience);
    /// What each shard has done so far, asked while it runs, in the same way as waiting(); nothing
    /// of one that does not answer in time, has not begun or has ended. Any thread that is no
    /// shard; on a shard, this_shard().statistics() is at hand.
    [[nodiscard]] std::vector<std::optional<shard_statistics>> statistics(
        time_span patience = default_patience);
    static constexpr std::chrono::milliseconds default_patience{200};

    /// Tells options().on_event. Any thread.
    void report(event::level severity, std::string text) const noexcept;
    /// As report(), but each different `text` once in the engine's life.
    void report_once(event::level severity, const std::string& text) noexcept;

    /// The engine's service of this type, made by make(engine) at the first call. Any thread.
    template <class Service, class Make>
    std::shared_ptr<Service> service_of(Make make) {
        const std::lock_guard lock{mutex_};
        for (const std::shared_ptr<detail::service>& known : services_) {
            if (auto found = std::dynamic_pointer_cast<Service>(known)) return found;
        }
        services_.reserve(services_.size() + 1);  // what is made is not to be lost
        std::shared_ptr<Service> made = make(*this);
        services_.push_back(made);
        return made;
    }

    /// Hands `item` to a shard, from a thread that is none of this engine's shards.
    void send_from_outside(unsigned shard, detail::work& item) noexcept;

    /// Root tasks that run or wait. The engine ends only when there are none.
    /// Returns whether there were others, and with them a promise that no shard has ended.
    bool root_begins() noexcept { return roots_.fetch_add(1) != 0; }
    void root_ends() noexcept;
    [[nodiscard]] std::int64_t roots() const noexcept { return roots_.load(); }
    /// Shards that have work outstanding, see shard::work_begins; as roots.
    void busy_begins() noexcept { busy_.fetch_add(1); }
    void busy_ends() noexcept;
    [[nodiscard]] bool busy() const noexcept { return busy_.load() != 0; }

private:
    friend class shard;
    friend class host_loop;
    friend class detail::memory_keeper;
    friend class detail::started_task;
    template <class T>
    friend detail::root detail::run_root(engine&,
                                         task<T>,
                                         std::shared_ptr<detail::started_state<T>>);
    enum class phase : std::uint8_t { made, running, joined };

    [[noreturn]] void no_such_shard(unsigned index) const;
    void expect_own_process() const noexcept;
    void expect_no_shard(const char* sentence) const noexcept;
    void expect_may_wait() const noexcept;
    [[nodiscard]] bool inherited() const noexcept;
    void abandon() noexcept;
    [[nodiscard]] stop_report await_end();
    void start_threads();
    void thread_main(unsigned index);
    void run_shard(shard& mine) noexcept;
    void give_up(shard& broken, const char* reason) noexcept;
    void step_own_shards() noexcept;
    void shard_opened();
    void shard_ended(std::vector<waiting_task> left) noexcept;
    [[nodiscard]] bool enter(unsigned shard, detail::work& first);
    void drain_after_join() noexcept;
    void nudge_all() noexcept;
    /// What set_memory() or the options have said.
    [[nodiscard]] std::uint64_t memory_given() const noexcept {
        return given_.load(std::memory_order_relaxed);
    }
    void adjust_memory(std::uint64_t bytes) noexcept;
    /// What a shard needs for two chunks of that size.
    [[nodiscard]] std::uint64_t memory_for_two(std::uint64_t chunk_size) const noexcept;
    void close_shards();

    engine_options options_;
    // Relaxed: each shard looks at them in its turn.
    std::atomic<std::uint64_t> memory_;
    std::atomic<std::uint64_t> given_;
    std::atomic<std::uint64_t> least_{0};  // of a shard
    std::mutex budget_;                    // held while the three change
    std::vector<std::unique_ptr<shard>> shards_;
    std::vector<std::thread> threads_;
    std::atomic<std::int64_t> roots_{0};
    std::atomic<std::int64_t> busy_{0};
    std::atomic<bool> stopping_{false};
    std::atomic<std::int64_t> stop_deadline_{0};  // io::clock ticks; 0 before stop()
    std::atomic<phase> phase_{phase::made};
    std::atomic<int> started_in_{-1};      // which child of a child; -1 before start()
    std::atomic<unsigned> host_loops_{0};  // that have not seen their shard finish
    std::mutex lifecycle_;                 // start and join
    stop_report report_;
    const std::shared_ptr<detail::outside_waits> outside_;
    mutable std::mutex mutex_;  // the members below; no shard ends while it is held
    std::condition_variable changed_;
    unsigned opened_ = 0;  // shards; while starting, also those that failed to
    unsigned ended_ = 0;
    std::exception_ptr open_error_;
    std::vector<std::vector<waiting_task>> left_;  // of each shard that gave up
    std::vector<std::shared_ptr<detail::service>> services_;
    std::vector<std::string> said_;
};

}  // namespace leat

#include <leat/engine/spawned.hpp>
