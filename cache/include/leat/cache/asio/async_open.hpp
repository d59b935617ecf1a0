// Opening a file for callers who are no tasks of leat.
#pragma once

#include <leat/cache/asio/detail/guest_operation.hpp>
#include <leat/cache/detail/guest_task.hpp>
#include <leat/engine/asio/use_task.hpp>

#include <boost/asio/async_result.hpp>

#include <string>
#include <utility>

namespace leat {

/// Opens the present version of file `name` of the manager's source; as chunk_manager::open, for
/// any completion token:
///
///     std::future<leat::file> film = leat::async_open(manager, name, boost::asio::use_future);
///
/// Without a token it is for a task to await (use_task). Signature: void(error_code, file). Errors:
/// the source's, errc::cancelled, errc::stopped. Threads, completion, ordering, memory and
/// cancellation are as for async_get_chunk; besides its own block it allocates the task's frames.
/// From a thread that is no shard, some shard opens the file.
template <
    boost::asio::completion_token_for<void(boost::system::error_code, file)> Token = use_task_t>
auto async_open(const chunk_manager& manager, std::string name, Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, file)>(
        []<class Handler>(Handler&& handler, const chunk_manager* of, std::string wanted) {
            detail::guest_operation<detail::guest_open, std::decay_t<Handler>>::initiate(
                std::forward<Handler>(handler), *of, std::move(wanted));
        },
        token, &manager, std::move(name));
}

}  // namespace leat
