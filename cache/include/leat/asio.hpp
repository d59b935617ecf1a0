// Everything of leat for programs that use Boost.Asio, but <leat/cache/asio/slice_body.hpp>, which
// needs Boost.Beast. Includes <leat/leat.hpp> and Asio.
#pragma once

#include <leat/cache/asio/async_requests.hpp>
#include <leat/cache/asio/detail/slice_buffer.hpp>
#include <leat/cache/asio/send_range.hpp>
#include <leat/cache/asio/with_where.hpp>
#include <leat/engine/asio/detail/deferred.hpp>
#include <leat/engine/asio/detail/tcp_teardown.hpp>
#include <leat/engine/asio/shard_context.hpp>
#include <leat/engine/asio/shard_executor.hpp>
#include <leat/engine/asio/shard_timer.hpp>
#include <leat/engine/asio/tcp_acceptor.hpp>
#include <leat/engine/asio/tcp_stream.hpp>
#include <leat/engine/asio/use_task.hpp>
#include <leat/leat.hpp>

#include <boost/asio/as_tuple.hpp>
