// The completion token that makes an Asio operation something a leat::task awaits.
#pragma once

#include <leat/engine/asio/detail/task_wait.hpp>

#include <boost/asio/async_result.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

namespace leat {

/// The type of use_task.
struct use_task_t {
    constexpr use_task_t() = default;

    /// An executor whose I/O objects use use_task where no token is given.
    template <class Executor>
    struct executor_with_default : Executor {
        using default_completion_token_type = use_task_t;
        template <class Other>
            requires(!std::is_same_v<Other, executor_with_default> &&
                     std::is_convertible_v<const Other&, Executor>)
        executor_with_default(const Other& other) noexcept : Executor(other) {}
    };
    /// An I/O object with that executor: `use_task_t::as_default_on_t<asio::steady_timer>`.
    template <class Object>
    using as_default_on_t = typename Object::template rebind_executor<
        executor_with_default<typename Object::executor_type>>::other;
};

/// The token by which a leat::task awaits an Asio operation on a shard: the operation starts when
/// it is awaited, and the task resumes on the same shard, wherever the operation completes.
///
///     boost::asio::steady_timer timer(leat::shard_executor::current(), 10ms);
///     co_await timer.async_wait(leat::use_task);
///
/// Gives what the handler would get: nothing, a value, or a tuple of several. A first argument that
/// is an error_code or exception_ptr is not among them: it is thrown, as leat::system_error if it
/// is of leat's category, else as boost::system::system_error or as it is. With
/// boost::asio::as_tuple(leat::use_task) nothing is thrown.
///
/// A stop request of the enclosing task, made on any thread, becomes a terminal cancellation of the
/// operation, emitted on the shard; an operation that ends by it throws errc::cancelled, or
/// errc::stopped if the engine stops. If the handler is destroyed uncalled, that is thrown too.
/// What was written before completion is seen by the task. Buffers must stay valid until then. The
/// awaitable may be moved before it is awaited, and is awaited once. The operation's memory comes
/// from the shard's frame pool.
inline constexpr use_task_t use_task{};

namespace detail {
// What an initiation makes of its arguments is its own business: Beast's take sizes, given as int.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
/// An operation that starts when it is awaited: initiation(handler, arguments...).
template <class Wait, class Initiation, class... Given>
class [[nodiscard]] task_operation final
    : public awaited_once<task_operation<Wait, Initiation, Given...>>,
      public Wait {
    using once = awaited_once<task_operation>;

public:
    template <class Initiator, class... Arguments>
    explicit task_operation(std::in_place_t, Initiator&& initiation, Arguments&&... given)
        : initiation_(std::forward<Initiator>(initiation)),
          given_(std::forward<Arguments>(given)...) {}
    task_operation(task_operation&& other) noexcept
        : once(std::move(other)),
          initiation_(std::move(other.initiation_)),
          given_(std::move(other.given_)) {}

    template <class Promise>
    [[nodiscard]] bool await_suspend(std::coroutine_handle<Promise> coroutine) {
        return this->begin(coroutine, [this](auto&& made) {
            std::apply(
                [&](auto&... given) {
                    std::move(initiation_)(std::forward<decltype(made)>(made), std::move(given)...);
                },
                given_);
        });
    }
    [[nodiscard]] where awaits() const noexcept override {
        if constexpr (requires { Initiation::awaits(); }) {
            return Initiation::awaits();
        } else {
            return {.doing = activity::asio};
        }
    }

private:
    Initiation initiation_;
    std::tuple<Given...> given_;
};
#pragma GCC diagnostic pop
}  // namespace detail

}  // namespace leat

template <class... Arguments>
class boost::asio::async_result<leat::use_task_t, void(Arguments...)> {
public:
    template <class Initiation, class... Given>
    [[nodiscard]] static auto initiate(Initiation&& initiation,
                                       leat::use_task_t,
                                       Given&&... given) {
        return leat::detail::task_operation<leat::detail::task_wait<Arguments...>,
                                            std::decay_t<Initiation>, std::decay_t<Given>...>(
            std::in_place, std::forward<Initiation>(initiation), std::forward<Given>(given)...);
    }
};
