// Functions that run on threads that are no shards, while their tasks wait.
#pragma once

#include <leat/engine/detail/awaited_once.hpp>
#include <leat/engine/detail/calling.hpp>
#include <leat/engine/detail/offload_job.hpp>
#include <leat/engine/detail/suspension.hpp>

#include <boost/intrusive/list.hpp>

#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace leat {

/// How an offload_pool is made.
struct offload_options {
    unsigned threads = 2;          ///< at least 1; they run side by side
    std::size_t max_queue = 1024;  ///< functions that may wait for a thread, at least 1
};

/// Threads for functions that compute long or make blocking calls; see offload().
///
/// They take no signals and are not pinned. One pool serves any number of shards and engines; every
/// member but the destructor may be called from any thread.
class offload_pool {
public:
    /// Throws errc::invalid_option for a number below its limit; std::system_error or
    /// std::bad_alloc if a thread cannot be had.
    explicit offload_pool(const offload_options& options = {});
    offload_pool(const offload_pool&) = delete;
    offload_pool& operator=(const offload_pool&) = delete;
    /// Blocks until every function that waits or runs has ended. The tasks that wait for them may
    /// outlast it. Nobody may call offload() meanwhile.
    ~offload_pool();

    [[nodiscard]] const offload_options& options() const noexcept { return options_; }
    /// Functions that wait for a thread now.
    [[nodiscard]] std::size_t queued() const;

    /// For offload(): false if the queue is full.
    [[nodiscard]] bool submit(detail::offload_job& job) noexcept;
    /// For offload(): takes back one that was submitted; false if it runs or has run.
    [[nodiscard]] bool withdraw(detail::offload_job& job) noexcept;

private:
    void work() noexcept;
    void end() noexcept;

    const offload_options options_;
    mutable std::mutex mutex_;  // the members below; held for a few instructions only
    std::condition_variable changed_;
    boost::intrusive::list<detail::offload_job> waiting_;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

/// What offload() gives.
template <class Function>
class [[nodiscard]] offloading final : public detail::suspension,
                                       public detail::offload_job,
                                       public detail::awaited_once<offloading<Function>> {
    using value_type = std::invoke_result_t<Function&>;
    using held_type = std::conditional_t<std::is_void_v<value_type>, std::monostate, value_type>;
    static_assert(!std::is_reference_v<value_type>, "the function gives a value, or nothing");

public:
    offloading(offload_pool& pool, Function called)
        : offload_job(&run_here), pool_(pool), function_(std::move(called)) {}
    offloading(offloading&& other) noexcept(std::is_nothrow_move_constructible_v<Function>)
        : offload_job(&run_here),
          detail::awaited_once<offloading>(std::move(other)),
          pool_(other.pool_),
          function_(std::move(other.function_)) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) {
        suspend(coroutine, &stopped);
        if (stop_requested()) {
            failure_ = make_error_code(stop_reason());
        } else if (!pool_.submit(*this)) {
            failure_ = system_error_code(EAGAIN);
        } else {
            listen();
            return true;
        }
        not_suspended();
        return false;
    }
    value_type await_resume() {
        if (failure_) throw system_error({failure_, awaits()});
        if (thrown_) std::rethrow_exception(std::move(thrown_));
        if constexpr (!std::is_void_v<value_type>) return std::move(*value_);
    }
    [[nodiscard]] where awaits() const noexcept override { return {.doing = activity::offload}; }

private:
    // On the pool's thread; the task may be resumed, and this gone, as soon as it is posted. Its
    // shard lasts until then, or has been given up, and the task with it.
    static void run_here(detail::offload_job& job) noexcept {
        auto& self = static_cast<offloading&>(job);
        try {
            if constexpr (std::is_void_v<value_type>) {
                self.function_();
            } else {
                self.value_.emplace(self.function_());
            }
        } catch (...) {
            self.thrown_ = std::current_exception();
        }
        static_cast<void>(self.home().post_from_outside(self.arrived_));
    }
    void arrive() noexcept {
        if (this->settle()) this->resume();
    }
    static void stopped(detail::suspension& waiting) noexcept {
        auto& self = static_cast<offloading&>(waiting);
        if (!self.pool_.withdraw(self)) return;  // it runs to its end
        self.failure_ = make_error_code(self.stop_reason());
        self.finish();
    }

    detail::calling<detail::work, &offloading::arrive> arrived_{*this};
    offload_pool& pool_;
    Function function_;
    std::optional<held_type> value_;
    std::exception_ptr thrown_;
    boost::system::error_code failure_;
};

/// `co_await offload(pool, f)` calls f() on a thread of the pool and gives its value, or throws
/// what it threw; the shard serves others meanwhile. For hashes of many bytes, name lookups, and
/// libraries that block.
///
///     auto hash = [&] { return hash_of(page.bytes()); };
///     const std::uint64_t sum = co_await leat::offload(pool, hash);
///
/// (Name a lambda that captures by move, or what has a destructor, before the co_await: GCC 12
/// destroys it twice otherwise.)
///
/// Completion: on the shard that awaited it, from the ready queue, after f has returned. Functions
/// begin in the order in which they were awaited, as threads become free. The object may be moved
/// before it is awaited; it is awaited on a shard, once. A wait allocates nothing.
///
/// Ordering: what the task wrote before is seen by f, and what f wrote by the task, which waits: f
/// may use the task's locals, and a slice's bytes. f may not use what belongs to a shard: no
/// get_chunk, no scope, no this_shard().
///
/// Cancellation: a stop request of the enclosing task, made on any thread, takes f back if it has
/// not begun: errc::cancelled, or errc::stopped if the engine stops. Once begun f runs to its end,
/// and is waited for; let it look at a stop token of its own if that takes long. Its value is given
/// all the same.
///
/// Errors: EAGAIN of the system if offload_options::max_queue functions wait already.
///
/// Lifetime: `pool` until f has ended. An engine that stops waits for f as for the device: at most
/// stop_timeout, and then abandons the task, not its memory.
template <class Function>
[[nodiscard]] offloading<std::decay_t<Function>> offload(offload_pool& pool, Function&& function) {
    return {pool, std::forward<Function>(function)};
}

}  // namespace leat
