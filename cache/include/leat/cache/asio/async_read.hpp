// Reading across chunks for callers who are no tasks of leat.
#pragma once

#include <leat/cache/asio/detail/guest_operation.hpp>
#include <leat/cache/detail/guest_task.hpp>
#include <leat/engine/asio/use_task.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace leat {

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
