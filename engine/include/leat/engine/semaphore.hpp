// Permits that the tasks of one shard share.
#pragma once

#include <leat/engine/detail/wait_line.hpp>

#include <cassert>
#include <cstddef>
#include <optional>
#include <utility>

namespace leat {

/// A number of permits, of which each task may take some and wait for them: so many downloads, so
/// many open files at once.
///
///     leat::semaphore downloads{4};
///     const leat::semaphore::permit one = co_await downloads.acquire();  // returned with `one`
///
/// Threads: for the tasks of the shard that made it; use on another one ends the program with a
/// sentence. What a holder wrote before is seen by whoever gets the permit.
///
/// Order: first come, first served. Whoever wants several holds back those behind, so that it is
/// not passed over for ever; nobody takes a free permit past those that wait.
///
/// Completion: acquire() takes free permits at once, also when a stop is requested; otherwise it
/// resumes from the ready queue when they are returned. A wait allocates nothing.
///
/// Cancellation: a stop request of the enclosing task ends the wait with errc::cancelled, or
/// errc::stopped if the engine stops. A permit that has been given before is given all the same:
/// none is lost.
///
/// Lifetime: longer than its waits and permits; else the program ends with a sentence.
class semaphore {
public:
    class permit;
    class acquisition;

    /// With `permits`, all of them free. On a shard.
    explicit semaphore(std::size_t permits) noexcept : semaphore(permits, activity::semaphore) {}
    semaphore(const semaphore&) = delete;
    semaphore& operator=(const semaphore&) = delete;
    ~semaphore() {
        if (free_ != permits_ && line_.empty()) [[unlikely]]
            line_.fail("was destroyed while permits of it are held: return them first");
    }

    /// Awaited, it gives a permit for `count`; the object may be moved before. Throws
    /// errc::invalid_option if there are not so many at all, or count is 0.
    [[nodiscard]] acquisition acquire(std::size_t count = 1);
    /// Without waiting: an empty optional if so many are not free or others wait.
    [[nodiscard]] std::optional<permit> try_acquire(std::size_t count = 1) noexcept;

    /// Permits that are free.
    [[nodiscard]] std::size_t available() const noexcept { return free_; }
    /// Tasks that wait.
    [[nodiscard]] std::size_t waiting() const noexcept { return line_.size(); }

private:
    friend class mutex;
    semaphore(std::size_t permits, activity kind) noexcept
        : permits_(permits), free_(permits), line_(kind, this, &left) {}

    [[nodiscard]] bool take(std::size_t count) noexcept {
        line_.check_shard();
        if (!line_.empty() || count > free_) return false;
        free_ -= count;
        return true;
    }
    void give_back(std::size_t count) noexcept {
        line_.check_shard();
        free_ += count;
        assert(free_ <= permits_);
        serve();
    }
    void serve() noexcept;
    static void left(void* self) noexcept { static_cast<semaphore*>(self)->serve(); }

    const std::size_t permits_;
    std::size_t free_;
    detail::wait_line line_;
};

/// Permits that are held; returned when it is destroyed, on the semaphore's shard. Move-only.
class [[nodiscard]] semaphore::permit {
public:
    permit(permit&& other) noexcept
        : of_(std::exchange(other.of_, nullptr)), count_(other.count_) {}
    permit& operator=(permit&& other) noexcept {
        if (this != &other) {
            release();
            of_ = std::exchange(other.of_, nullptr);
            count_ = other.count_;
        }
        return *this;
    }
    ~permit() { release(); }

    /// Returns them early. No effect if they are returned, or moved away.
    void release() noexcept {
        if (semaphore* const of = std::exchange(of_, nullptr)) of->give_back(count_);
    }
    [[nodiscard]] explicit operator bool() const noexcept { return of_ != nullptr; }

private:
    friend class semaphore;
    permit(semaphore& of, std::size_t count) noexcept : of_(&of), count_(count) {}

    semaphore* of_;
    std::size_t count_;
};

/// What semaphore::acquire() gives.
class [[nodiscard]] semaphore::acquisition final
    : public detail::line_wait,
      public detail::awaited_once<semaphore::acquisition> {
public:
    acquisition(semaphore& of, std::size_t count) noexcept
        : line_wait(of.line_), of_(of), count_(count) {}
    acquisition(acquisition&& other) noexcept
        : line_wait(other.line()),
          awaited_once(std::move(other)),
          of_(other.of_),
          count_(other.count_) {}

    [[nodiscard]] bool await_ready() const noexcept { return of_.take(count_); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
        join_line(coroutine);
    }
    [[nodiscard]] permit await_resume() const {
        throw_if_stopped();
        return {of_, count_};
    }

private:
    friend class semaphore;
    semaphore& of_;
    std::size_t count_;
};

inline semaphore::acquisition semaphore::acquire(std::size_t count) {
    line_.check_shard();
    if (count == 0 || count > permits_)
        throw system_error({errc::invalid_option, {.doing = line_.kind(), .size = count}});
    return {*this, count};
}

inline std::optional<semaphore::permit> semaphore::try_acquire(std::size_t count) noexcept {
    if (!take(count)) return std::nullopt;
    return permit{*this, count};
}

inline void semaphore::serve() noexcept {
    while (!line_.empty()) {
        auto& first = static_cast<acquisition&>(line_.front());
        if (first.count_ > free_) return;
        free_ -= first.count_;
        line_.pop_front().serve();
    }
}

}  // namespace leat
