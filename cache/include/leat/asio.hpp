// Everything of leat for programs that use Boost.Asio. Includes <leat/leat.hpp> and Asio.
#pragma once

#include <leat/engine/asio/deferred.hpp>
#include <leat/engine/asio/shard_context.hpp>
#include <leat/engine/asio/shard_executor.hpp>
#include <leat/engine/asio/shard_timer.hpp>
#include <leat/engine/asio/tcp_acceptor.hpp>
#include <leat/engine/asio/tcp_stream.hpp>
#include <leat/engine/asio/tcp_teardown.hpp>
#include <leat/engine/asio/use_task.hpp>
#include <leat/leat.hpp>
