// A name for a task, by which its waits are told.
#pragma once

#include <leat/engine/task.hpp>
#include <leat/io/detail/misuse.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace leat {

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
            detail::misuse("a task_name was awaited twice; give each coroutine one of its own");
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
