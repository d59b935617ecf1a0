// Several chunks at once.
#pragma once

#include <leat/cache/asio/detail/guest_operation.hpp>
#include <leat/cache/detail/guest_chunks.hpp>
#include <leat/engine/asio/use_task.hpp>

#include <boost/asio/async_result.hpp>

#include <span>
#include <utility>
#include <vector>

namespace leat {

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

}  // namespace leat
