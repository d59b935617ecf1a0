// As example_names.hpp, for the headers that use Asio.
#pragma once

#include "example_names.hpp"

#include <leat/asio.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/write.hpp>

#include <future>

namespace example {

namespace asio = boost::asio;

extern boost::asio::ip::tcp::endpoint endpoint;
extern leat::tcp_stream stream;
extern leat::tcp_stream peer;
extern leat::tcp_acceptor acceptor;
extern leat::scope& sessions;

boost::asio::awaitable<void> session();
leat::task<> serve(leat::tcp_stream peer);

}  // namespace example
