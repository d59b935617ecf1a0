// What a manager is asked for with any completion token: callbacks, futures, other coroutines.
#pragma once

#include <leat/cache/asio/detail/guest_operation.hpp>
#include <leat/cache/detail/guest_chunks.hpp>
#include <leat/cache/detail/guest_task.hpp>
#include <leat/engine/asio/use_task.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

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

/// Gets a slice for each of `configs`, which are copied; as async_get_chunk, in all that is said
/// there, but for what follows.
///
///     leat::async_get_chunks(manager, configs,
///                            [](boost::system::error_code, auto pieces) {
///                                for (auto& piece : pieces)
///                                    if (piece) use(*piece);
///                            });
///
/// Without a token it is for a task to await (use_task). Signature: void(error_code,
/// std::vector<result<slice>>), the outcomes in the order of `configs`, each with its own error and
/// where it arose. The error_code is errc::stopped or errc::cancelled if that ended the request
/// before each had its outcome; pieces that were there are given even then.
///
/// From a thread that is no shard of the engine it is one message to each shard that owns some of
/// the chunks, and one completion when the last has come; a handler without an executor completes
/// on the shard of the first. Besides the operation's own block it allocates the copy and the
/// vector.
template <boost::asio::completion_token_for<void(boost::system::error_code,
                                                 std::vector<result<slice>>)> Token = use_task_t>
auto async_get_chunks(const chunk_manager& manager,
                      std::span<const chunk_config> configs,
                      Token&& token = Token()) {
    return boost::asio::async_initiate<Token,
                                       void(boost::system::error_code, std::vector<result<slice>>)>(
        []<class Handler>(Handler&& handler, const chunk_manager* of,
                          const std::vector<chunk_config>& wanted) {
            detail::guest_operation<detail::guest_chunks, std::decay_t<Handler>>::initiate(
                std::forward<Handler>(handler), *of, std::span{wanted});
        },
        token, &manager, std::vector<chunk_config>(configs.begin(), configs.end()));
}

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

/// Copies from `offset` of `from` on into `to`, across chunk borders, up to the end of the file; as
/// chunk_manager::read, for any completion token:
///
///     leat::async_read(manager, file, 0, boost::asio::buffer(header),
///                      [](boost::system::error_code failed, std::size_t count) {
///                          if (!failed) use(count);
///                      });
///
/// Without a token it is for a task to await (use_task). Signature: void(error_code, std::size_t),
/// with the count; 0 after an error. Errors: as async_get_chunk's, but for crosses_chunk and
/// all_pinned. Threads, completion, ordering, memory and cancellation are as there; besides its own
/// block it allocates the task's frames. The file is held by the operation. `to` is the caller's
/// and must live until the completion; it is written by a shard until then, and its bytes are seen
/// by the handler. If the handler's context is destroyed first it must live until the engine has
/// ended; if an engine that gave up ends the read with errc::stopped, for ever, since a device that
/// has not answered may still write to it.
template <boost::asio::completion_token_for<void(boost::system::error_code, std::size_t)> Token =
              use_task_t>
auto async_read(const chunk_manager& manager,
                file from,
                std::uint64_t offset,
                boost::asio::mutable_buffer to,
                Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        []<class Handler>(Handler&& handler, const chunk_manager* of, file wanted,
                          std::uint64_t begin, boost::asio::mutable_buffer into) {
            detail::guest_operation<detail::guest_read, std::decay_t<Handler>>::initiate(
                std::forward<Handler>(handler), *of, std::move(wanted), begin,
                std::span{static_cast<std::byte*>(into.data()), into.size()});
        },
        token, &manager, std::move(from), offset, to);
}

}  // namespace leat
