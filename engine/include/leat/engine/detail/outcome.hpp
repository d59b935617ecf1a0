// The outcome of a task on its way from one thread to another: a value or an error.
#pragma once

#include <leat/engine/error.hpp>

#include <cassert>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace leat::detail {

/// What outcomes of all types share: the error. Invariants, told by fault(): there is an exception
/// only with its error, an error says what it is, and with one there is no value.
class outcome {
public:
    void set_exception(std::exception_ptr escaped) noexcept;
    /// For an outcome nobody takes.
    [[nodiscard]] const std::optional<leat::error>& failure() const noexcept { return error_; }
    /// nullptr, or which invariant is broken.
    [[nodiscard]] const char* fault() const noexcept;

protected:
    /// Throws the error, if there is one.
    void rethrow(bool on_shard);

private:
    friend struct tampering;  // tests break what fault() tells

    std::optional<leat::error> error_;
    std::exception_ptr exception_;
};

/// An outcome with its value. An exception that is no leat::error crosses from one shard to another
/// as errc::unhandled_exception; a foreign thread gets it as it is. `Base` is an outcome that says
/// more, made of the constructor's arguments.
template <class T, class Base = outcome>
class outcome_state final : public Base {
public:
    using Base::Base;
    using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    template <class... Value>
    void set_value(Value&&... value) {
        value_.emplace(std::forward<Value>(value)...);
        assert(fault() == nullptr);
    }
    T take(bool on_shard) {
        this->rethrow(on_shard);
        if constexpr (!std::is_void_v<T>) return std::move(*value_);
    }
    /// nullptr, or which invariant is broken.
    [[nodiscard]] const char* fault() const noexcept {
        if (value_ && this->failure()) return "an outcome is both a value and an error";
        return outcome::fault();
    }

private:
    friend struct tampering;

    std::optional<value_type> value_;
};

}  // namespace leat::detail
