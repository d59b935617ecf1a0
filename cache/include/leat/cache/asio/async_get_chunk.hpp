// A chunk for callers who are no tasks of leat: callbacks, futures, other coroutines.
#pragma once

#include <leat/cache/asio/detail/guest_operation.hpp>
#include <leat/cache/detail/guest_chunks.hpp>
#include <leat/engine/asio/use_task.hpp>

#include <boost/asio/async_result.hpp>

#include <utility>

namespace leat {

/// Gets a slice of config.size bytes; as chunk_manager::get_chunk, for any completion token:
///
///     leat::async_get_chunk(manager, {file, 0, 4096},
///                           [](boost::system::error_code failed, leat::slice page) {
///                               if (!failed) use(page.bytes());
///                           });
///
/// Without a token it is for a task to await (use_task). Signature: void(error_code, slice).
/// Errors: leat::errc out_of_range (size 0, too), crosses_chunk, closed, all_pinned, file_changed,
/// cancelled, stopped, short_read, and the source's error; the slice is empty then.
///
/// Threads: any; a shard of the engine, another's, a thread that is none. From a shard the chunk is
/// served there, by a lease if another owns it; from elsewhere on the shard that owns it: a hit is
/// one message to that shard and one post back. Any number may be in flight. `manager` may be
/// destroyed meanwhile; the file must be held by somebody (see file_id).
///
/// Completion: exactly once, never inside this call, on the handler's associated executor, whose
/// outstanding work it counts as. A handler without one completes on the executor of the shard that
/// served it; if a foreign thread asks after the engine has begun to stop, on Asio's
/// system_executor. A handler that throws throws into its executor. If the executor's context is
/// destroyed first, the handler is destroyed uncalled.
///
/// Ordering: what the caller wrote before is seen by the handler, and so are the slice's bytes,
/// which the device wrote. The slice may be held and dropped on any thread, after the engine, too.
///
/// Memory: one block, by the handler's associated allocator, freed before the handler is called.
/// Without one it is from the shard's pool, or from the heap on other threads. Throws
/// std::bad_alloc where there is none; the handler is not called then.
///
/// Cancellation: all types. Only this request ends, with errc::cancelled, unless it is done
/// already; a read that others share goes on. The engine does not end before the request does;
/// engine::stop() ends it with errc::stopped.
template <
    boost::asio::completion_token_for<void(boost::system::error_code, slice)> Token = use_task_t>
auto async_get_chunk(const chunk_manager& manager,
                     const chunk_config& config,
                     Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, slice)>(
        []<class Handler>(Handler&& handler, const chunk_manager* of, chunk_config wanted) {
            detail::guest_operation<detail::guest_chunk, std::decay_t<Handler>>::initiate(
                std::forward<Handler>(handler), *of, wanted);
        },
        token, &manager, config);
}

}  // namespace leat
