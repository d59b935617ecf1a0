// Nothing of Asio's that a server uses makes a thread.
#include "asio_support.hpp"

#include <leat/engine/asio/detail/deferred.hpp>
#include <leat/engine/asio/detail/tcp_teardown.hpp>

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(asio_threads_tls_test)

using namespace leat;
using namespace leat::test;
namespace ssl = asio::ssl;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

BOOST_AUTO_TEST_SUITE(asio_threads)

using web_stream = websocket::stream<ssl::stream<tcp_stream>>;
using channel = asio::experimental::channel<void(error_code, std::string)>;

// Keys are agreed upon without anybody's certificate.
struct anonymous : ssl::context {
    explicit anonymous(ssl::context::method side) : ssl::context(side) {
        SSL_CTX_set_max_proto_version(native_handle(), TLS1_2_VERSION);
        SSL_CTX_set_cipher_list(native_handle(), "aNULL:@SECLEVEL=0");
    }
};

task<> echo_once(web_stream& web) {
    // Keeps a timer of Beast's running.
    web.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    co_await web.next_layer().async_handshake(ssl::stream_base::server, use_task);
    co_await web.async_accept(use_task);
    beast::flat_buffer buffer;
    co_await web.async_read(buffer, use_task);
    co_await web.async_write(buffer.data(), use_task);
    beast::flat_buffer rest;
    co_await web.async_read(rest, with_code);  // until the client has closed
}

task<> receive(web_stream& web, channel& into) {
    beast::flat_buffer buffer;
    co_await web.async_read(buffer, use_task);
    co_await into.async_send(error_code{}, beast::buffers_to_string(buffer.data()), use_task);
}

BOOST_DATA_TEST_CASE(secure_web_sockets_channels_and_timers_need_no_thread, both_backends, kind) {
    anonymous server_side(ssl::context::tls_server);
    anonymous client_side(ssl::context::tls_client);
    auto job = [&](engine&) -> task<std::string> {
        const std::size_t before = threads();
        connection both;
        web_stream server(std::move(both.far), server_side);
        web_stream client(std::move(both.near), client_side);
        client.set_option(websocket::stream_base::timeout::suggested(beast::role_type::client));
        scope work;
        work.spawn(echo_once(server));
        co_await client.next_layer().async_handshake(ssl::stream_base::client, use_task);
        co_await client.async_handshake("leat", "/", use_task);

        asio::steady_timer timer(asio::make_strand(shard_executor::current()),
                                 std::chrono::milliseconds(1));
        co_await timer.async_wait(use_task);
        channel received(shard_executor::current(), 1);
        work.spawn(receive(client, received));
        const std::string sent(100'000, 'w');
        co_await client.async_write(asio::buffer(sent), use_task);
        const std::string got = co_await received.async_receive(use_task);
        const std::size_t in_use = threads();
        co_await client.async_close(websocket::close_code::normal, with_code);
        co_await work.join();
        LEAT_EXPECT(got == sent);
        LEAT_EXPECT(in_use == before);
        LEAT_EXPECT(threads() == before);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
