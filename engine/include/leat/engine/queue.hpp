// Values on their way from tasks to tasks of one shard.
#pragma once

#include <leat/engine/detail/wait_line.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace leat {

/// First in, first out, of at most `capacity` values: who pushes waits while it is full, who pops
/// while it is empty.
///
///     leat::queue<std::string> names{16};
///     const bool taken = co_await names.push("film.mkv");      // false: it is closed
///     std::optional<std::string> name = co_await names.pop();  // empty: closed, and no value left
///
/// Threads: for the tasks of the shard that made it; use on another one ends the program with a
/// sentence: go there by resume_on, or spawn_on. What was written before a value was pushed is seen
/// by whoever pops it.
///
/// Order: values come out as they were pushed; who waits is served first come, first served.
///
/// Completion: at once if there is room, or a value, also when a stop is requested; otherwise from
/// the ready queue. Room for all values is allocated by the constructor, and none for a wait.
///
/// Cancellation: a stop request of the enclosing task ends the wait with errc::cancelled, or
/// errc::stopped if the engine stops. A value that was not taken into the queue is destroyed then;
/// one that pop() has been given before is given all the same.
///
/// Ends: after close() push() gives false and the value is destroyed; pop() gives what is left and
/// then empty optionals. Who waits is resumed.
///
/// Lifetime: longer than what waits; else the program ends with a sentence.
template <class T>
class queue {
    static_assert(std::is_nothrow_move_constructible_v<T>,
                  "values are handed on where nothing may be thrown");

public:
    class pushing;
    class popping;

    /// Throws errc::invalid_option if `capacity` is 0, std::bad_alloc. On a shard.
    explicit queue(std::size_t capacity)
        : capacity_(checked(capacity)), slots_(std::make_unique<std::optional<T>[]>(capacity)) {}

    /// Awaited, it gives whether the value was taken; the object may be moved before.
    [[nodiscard]] pushing push(T value) noexcept { return {*this, std::move(value)}; }
    /// Awaited, it gives the oldest value, or an empty optional; the object may be moved before.
    [[nodiscard]] popping pop() noexcept { return popping{*this}; }
    /// Without waiting: false if it is full or closed; `value` is moved from only if it is taken.
    [[nodiscard]] bool try_push(T&& value) noexcept {
        pushers_.check_shard();
        return !closed_ && take_in(value);
    }
    /// Without waiting: an empty optional if there is none.
    [[nodiscard]] std::optional<T> try_pop() noexcept {
        poppers_.check_shard();
        return take_out();
    }
    /// Values are taken in no longer. No effect the second time.
    void close() noexcept;

    [[nodiscard]] bool closed() const noexcept { return closed_; }
    /// Values in it; at most capacity().
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    /// Tasks that wait, to push or to pop.
    [[nodiscard]] std::size_t waiting() const noexcept { return pushers_.size() + poppers_.size(); }

private:
    // Always: who waits to pop waits at an empty queue, who waits to push at a full one; nobody
    // waits at one that is closed.
    [[nodiscard]] static std::size_t checked(std::size_t capacity) {
        if (capacity == 0) throw system_error({errc::invalid_option, {.doing = activity::queue}});
        return capacity;
    }
    void append(T&& value) noexcept {
        slots_[(first_ + size_) % capacity_].emplace(std::move(value));
        ++size_;
    }
    /// Moves the value to who waits for one, or into a free slot, if there is one.
    [[nodiscard]] bool take_in(T& value) noexcept;
    [[nodiscard]] std::optional<T> take_out() noexcept;

    const std::size_t capacity_;
    std::unique_ptr<std::optional<T>[]> slots_;  // a ring
    std::size_t first_ = 0;
    std::size_t size_ = 0;
    bool closed_ = false;
    detail::wait_line pushers_{activity::queue};
    detail::wait_line poppers_{activity::queue};
};

/// What queue::push() gives.
template <class T>
class [[nodiscard]] queue<T>::pushing final : public detail::line_wait,
                                              public detail::awaited_once<queue<T>::pushing> {
public:
    pushing(queue& of, T value) noexcept
        : line_wait(of.pushers_), of_(of), value_(std::move(value)) {}
    pushing(pushing&& other) noexcept
        : line_wait(other.line()),
          detail::awaited_once<pushing>(std::move(other)),
          of_(other.of_),
          value_(std::move(other.value_)) {}

    [[nodiscard]] bool await_ready() noexcept {
        of_.pushers_.check_shard();
        if (of_.closed_) return true;
        taken_ = of_.take_in(value_);
        return taken_;
    }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
        this->join_line(coroutine);
    }
    [[nodiscard]] bool await_resume() const {
        this->throw_if_stopped();
        return taken_;
    }

private:
    friend class queue;
    queue& of_;
    T value_;
    bool taken_ = false;
};

/// What queue::pop() gives.
template <class T>
class [[nodiscard]] queue<T>::popping final : public detail::line_wait,
                                              public detail::awaited_once<queue<T>::popping> {
public:
    explicit popping(queue& of) noexcept : line_wait(of.poppers_), of_(of) {}
    popping(popping&& other) noexcept
        : line_wait(other.line()),
          detail::awaited_once<popping>(std::move(other)),
          of_(other.of_) {}

    [[nodiscard]] bool await_ready() noexcept {
        of_.poppers_.check_shard();
        value_ = of_.take_out();
        return value_ || of_.closed_;
    }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
        this->join_line(coroutine);
    }
    [[nodiscard]] std::optional<T> await_resume() {
        this->throw_if_stopped();
        return std::move(value_);
    }

private:
    friend class queue;
    queue& of_;
    std::optional<T> value_;
};

template <class T>
bool queue<T>::take_in(T& value) noexcept {
    if (!poppers_.empty()) {
        auto& first = static_cast<popping&>(poppers_.pop_front());
        first.value_.emplace(std::move(value));
        first.serve();
        return true;
    }
    if (size_ == capacity_) return false;
    append(std::move(value));
    return true;
}

template <class T>
std::optional<T> queue<T>::take_out() noexcept {
    if (size_ == 0) return std::nullopt;
    std::optional<T>& slot = slots_[first_];
    std::optional<T> value = std::move(slot);
    slot.reset();
    first_ = (first_ + 1) % capacity_;
    --size_;
    if (!pushers_.empty()) {
        auto& next = static_cast<pushing&>(pushers_.pop_front());
        append(std::move(next.value_));
        next.taken_ = true;
        next.serve();
    }
    return value;
}

template <class T>
void queue<T>::close() noexcept {
    pushers_.check_shard();
    closed_ = true;
    while (!pushers_.empty()) pushers_.pop_front().serve();
    while (!poppers_.empty()) poppers_.pop_front().serve();
}

}  // namespace leat
