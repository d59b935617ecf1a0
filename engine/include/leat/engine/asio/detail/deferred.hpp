// co_await of deferred Asio operations in a leat::task.
#pragma once

#include <leat/engine/asio/use_task.hpp>

#include <boost/asio/deferred.hpp>

#include <type_traits>
#include <utility>

namespace leat::detail {
template <class Signature>
struct wait_of;
template <class... Arguments>
struct wait_of<void(Arguments...)> {
    using type = task_wait<Arguments...>;
};
}  // namespace leat::detail

namespace boost::asio {

/// `co_await asio::post(executor, asio::deferred)` and whatever else is composed of deferred
/// operations, as with leat::use_task: lazy, resumed on its shard, errors thrown, stop requests
/// turned into cancellations.
template <class Operation>
    requires is_deferred<std::decay_t<Operation>>::value
[[nodiscard]] auto operator co_await(Operation&& operation) {
    using stored = std::decay_t<Operation>;
    using wait = typename leat::detail::wait_of<completion_signature_of_t<stored>>::type;
    return leat::detail::task_operation<wait, stored>(std::in_place,
                                                      std::forward<Operation>(operation));
}

}  // namespace boost::asio
