// task<T>: a lazy coroutine that its awaiter resumes by symmetric transfer, and its name.
#pragma once

#include <leat/engine/detail/awaited_once.hpp>
#include <leat/engine/detail/frame_pool.hpp>
#include <leat/engine/detail/work.hpp>
#include <leat/engine/shard.hpp>
#include <leat/io/detail/misuse.hpp>

#include <algorithm>
#include <array>
#include <coroutine>
#include <exception>
#include <stop_token>
#include <string_view>
#include <utility>
#include <variant>

namespace leat {

template <class T>
class task;

/// What every promise of leat has: recycled frames, and the stop token of the enclosing scope,
/// which awaited tasks inherit.
class promise_base {
public:
    static void* operator new(std::size_t size) { return detail::frame_pool::allocate(size); }
    static void operator delete(void* frame, std::size_t size) noexcept {
        detail::frame_pool::release(frame, size);
    }

    /// The enclosing scope's token, or nullptr. It outlives the task.
    const std::stop_token* stop = nullptr;
    /// By which its waits are told, or nullptr; awaited tasks inherit it, too.
    const char* name = nullptr;
};

/// The stop token that applies to the coroutine `handle`, or nullptr if it is not leat's.
template <class Promise>
[[nodiscard]] const std::stop_token* stop_of(std::coroutine_handle<Promise> handle) noexcept {
    if constexpr (std::is_base_of_v<promise_base, Promise>) {
        return handle.promise().stop;
    } else {
        return nullptr;
    }
}

/// The name of the coroutine `handle`, or nullptr.
template <class Promise>
[[nodiscard]] const char* name_of(std::coroutine_handle<Promise> handle) noexcept {
    if constexpr (std::is_base_of_v<promise_base, Promise>) {
        return handle.promise().name;
    } else {
        return nullptr;
    }
}

namespace detail {

/// What the promises of tasks have in common: who awaits the task, and the way back to it.
class awaited_promise : public promise_base {
public:
    awaited_promise() noexcept {}  // most tasks end where they began, and make no message
    template <class Promise>
    void awaited_by(std::coroutine_handle<Promise> caller) noexcept {
        if (caller_) [[unlikely]]
            misuse(
                "a task was awaited twice: a task runs once; call its function again for another");
        caller_ = caller;
        home_ = shard::current();
        if (stop == nullptr) stop = stop_of(caller);
        if (name == nullptr) name = name_of(caller);
    }
    /// At the end: what this thread goes on with. The awaiter is resumed on the shard where it
    /// awaited, by a message if the task has moved; then this may be gone already.
    [[nodiscard]] std::coroutine_handle<> ended() noexcept {
        return home_ == shard::current() ? caller_ : ended_away();
    }

private:
    [[nodiscard, gnu::cold]] std::coroutine_handle<> ended_away() noexcept;
    struct home_coming : work {
        home_coming(shard& home_, std::coroutine_handle<> caller_) noexcept
            : work(&arrive), home(home_), caller(caller_) {}
        static void arrive(work& item) noexcept;
        shard& home;
        std::coroutine_handle<> caller;
    };

    std::coroutine_handle<> caller_;
    shard* home_;  // once awaited; nullptr: off the shards
    union {
        home_coming message_;
    };
};

struct final_transfer {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
        return self.promise().ended();
    }
    void await_resume() const noexcept {}
};

template <class T>
class task_promise_storage : public awaited_promise {
public:
    template <class U>
    void return_value(U&& value) {
        outcome_.template emplace<1>(std::forward<U>(value));
    }
    void unhandled_exception() noexcept { outcome_.template emplace<2>(std::current_exception()); }
    T take() {
        if (outcome_.index() == 2) std::rethrow_exception(std::move(std::get<2>(outcome_)));
        return std::move(std::get<1>(outcome_));
    }

private:
    std::variant<std::monostate, T, std::exception_ptr> outcome_;
};

template <>
class task_promise_storage<void> : public awaited_promise {
public:
    void return_void() noexcept {}
    void unhandled_exception() noexcept { error_ = std::current_exception(); }
    void take() {
        if (error_) std::rethrow_exception(std::move(error_));
    }

private:
    std::exception_ptr error_;
};

}  // namespace detail

/// A coroutine that starts when it is awaited and resumes its awaiter when it ends.
///
/// Move-only; awaited at most once, as an rvalue; destroying one that was never awaited frees its
/// frame. A suspended task is never destroyed: whoever awaits it waits for its end. The result, or
/// the exception that escaped it, comes out of `co_await`. Runs on the shard that awaits it, until
/// it moves itself by resume_on; wherever it ends, its awaiter goes on where it was, and sees what
/// the task wrote. One that is awaited on a thread that is no shard ends where it ends, and so goes
/// on its awaiter. The enclosing task's stop token is inherited. Arguments of a coroutine live in
/// its frame, which is freed where it was awaited: pass by value what must outlive the caller's
/// expression, and never start a capturing lambda that dies first.
///
///     leat::task<unsigned> there(unsigned shard) {
///         co_await leat::resume_on(shard);
///         co_return leat::this_shard().index();
///     }
///     const unsigned index = co_await there(1);  // goes on on the shard it was on
template <class T = void>
class [[nodiscard]] task {
public:
    struct promise_type : detail::task_promise_storage<T> {
        task get_return_object() noexcept {
            return task{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() const noexcept { return {}; }
        detail::final_transfer final_suspend() const noexcept { return {}; }
    };

    task(task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    task& operator=(task&& other) noexcept {
        if (this != &other) {
            if (handle_) handle_.destroy();
            handle_ = std::exchange(other.handle_, nullptr);
        }
        return *this;
    }
    ~task() {
        if (handle_) handle_.destroy();
    }

    class awaiter {
    public:
        explicit awaiter(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(
            std::coroutine_handle<Promise> caller) const noexcept {
            handle_.promise().awaited_by(caller);
            return handle_;
        }
        T await_resume() const { return handle_.promise().take(); }

    private:
        std::coroutine_handle<promise_type> handle_;
    };

    [[nodiscard]] awaiter operator co_await() && noexcept { return awaiter{present()}; }

    /// Makes `token` the task's own instead of the awaiter's. It must outlive the task.
    void set_stop(const std::stop_token& token) noexcept { present().promise().stop = &token; }
    void set_stop(const std::stop_token&& temporary) = delete;

    /// Names the task, and the tasks that it awaits, for engine::waiting() and the stop_report: a
    /// literal, or what outlives the task unchanged. Without a name it has the awaiter's. See also
    /// task_name.
    void set_name(const char* literal) noexcept { present().promise().name = literal; }

private:
    [[nodiscard]] std::coroutine_handle<promise_type> present() const noexcept {
        if (!handle_) [[unlikely]]
            detail::misuse("a task was used after it had been moved from");
        return handle_;
    }
    explicit task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
};

/// `const std::stop_token& token = co_await current_stop_token{};` gives the enclosing scope's
/// token.
class [[nodiscard]] current_stop_token : public detail::awaited_once<current_stop_token> {
public:
    [[nodiscard]] current_stop_token() = default;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> caller) noexcept {
        if (const std::stop_token* const token = stop_of(caller)) token_ = *token;
        return false;
    }
    [[nodiscard]] std::stop_token await_resume() noexcept { return std::move(token_); }

private:
    std::stop_token token_;
};

/// Names the coroutine that awaits it, and the tasks that it awaits from then on, until the object
/// is destroyed; engine::waiting() and the stop_report tell waits by it. For what is known at run
/// time, such as a connection's peer; task::set_name takes a literal.
///
///     leat::task_name name{"10.0.0.7:4711"};
///     co_await name;
///     name.set("10.0.0.7:4711 GET /film.mkv");
///
/// Keeps a copy of at most 63 bytes, cut at its end, and allocates nothing. Declared in the
/// coroutine that awaits it, once; set() is called by that coroutine. Tasks that are spawned, into
/// a scope or onto a shard, have names of their own.
class [[nodiscard]] task_name {
public:
    explicit task_name(std::string_view text) noexcept { set(text); }
    task_name(const task_name&) = delete;
    task_name& operator=(const task_name&) = delete;
    ~task_name() {
        if (named_ != nullptr) *named_ = outer_;
    }

    void set(std::string_view text) noexcept {
        const std::size_t size = std::min(text.size(), text_.size() - 1);
        std::copy_n(text.begin(), size, text_.begin());
        text_[size] = '\0';
    }

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        static_assert(std::is_base_of_v<promise_base, Promise>, "only a leat::task has a name");
        if (named_ != nullptr)
            detail::misuse("a task_name was awaited twice: give each coroutine one of its own");
        named_ = &coroutine.promise().name;
        outer_ = std::exchange(*named_, text_.data());
        return false;
    }
    void await_resume() const noexcept {}

private:
    std::array<char, 64> text_{};
    const char** named_ = nullptr;
    const char* outer_ = nullptr;
};

namespace detail {

/// `const char* name = co_await current_name{};` gives the name of the coroutine, or nullptr; for
/// tasks that are spawned in its place.
class [[nodiscard]] current_name {
public:
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
        name_ = name_of(coroutine);
        return false;
    }
    [[nodiscard]] const char* await_resume() const noexcept { return name_; }

private:
    const char* name_ = nullptr;
};

}  // namespace detail

}  // namespace leat
