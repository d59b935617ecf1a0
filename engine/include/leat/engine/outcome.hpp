// The outcome of a task on its way from one thread to another.
#pragma once

#include <leat/engine/error.hpp>
#include <leat/engine/work.hpp>

#include <boost/intrusive/list_hook.hpp>

#include <atomic>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace leat {

class shard;

namespace detail {

/// What outcomes of all types share: whether the task has ended, its error, and who waits.
class outcome : public boost::intrusive::list_base_hook<> {
public:
    void set_exception(std::exception_ptr escaped) noexcept;
    /// For an outcome nobody takes.
    [[nodiscard]] const std::optional<leat::error>& failure() const noexcept { return error_; }

    /// The end of the task; makes the outcome visible to whoever takes it (release, acquire).
    void complete() noexcept;
    /// The end without the task's: completes it with errc::timed_out, for foreign threads only.
    void give_up() noexcept;
    [[nodiscard]] bool completed() const noexcept {
        return waiter_.load(std::memory_order_acquire) == &done;
    }
    /// Returns false if it has completed already; otherwise `item` is sent to the shard `from` when
    /// it does.
    bool wait(work& item, shard& from) noexcept;
    /// Blocks the thread until it has completed.
    void block() const noexcept;

    bool listed = false;  ///< kept by engine

protected:
    /// Throws the error, if there is one.
    void rethrow(bool on_shard);

private:
    static work done;
    std::atomic<work*> waiter_{nullptr};
    shard* waiter_home_ = nullptr;
    std::optional<leat::error> error_;
    std::exception_ptr exception_;
};

/// An outcome with its value. An exception that is no leat::error crosses from one shard to another
/// as errc::unhandled_exception; a foreign thread gets it as it is.
template <class T>
class outcome_state : public outcome {
public:
    using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    template <class... Value>
    void set_value(Value&&... value) {
        value_.emplace(std::forward<Value>(value)...);
    }
    T take(bool on_shard) {
        rethrow(on_shard);
        if constexpr (!std::is_void_v<T>) return std::move(*value_);
    }

private:
    std::optional<value_type> value_;
};

}  // namespace detail
}  // namespace leat
