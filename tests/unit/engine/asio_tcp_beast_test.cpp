// Beast's HTTP and web sockets on a shard's streams.
#include "asio_support.hpp"

#include <leat/engine/asio/detail/tcp_teardown.hpp>

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(asio_tcp_beast_test)

using namespace leat;
using namespace leat::test;
using namespace std::chrono_literals;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;

static_assert(beast::is_async_stream<tcp_stream>::value);

namespace {

using request = http::request<http::string_body>;
using response = http::response<http::string_body>;
using web_stream = websocket::stream<tcp_stream>;

/// Answers each request with its own body, until one wants the connection closed.
task<> serve_http(tcp_stream stream) {
    beast::flat_buffer buffer;
    for (bool more = true; more;) {
        request asked;
        stream.expires_after(10s);
        co_await http::async_read(stream, buffer, asked, use_task);
        response answer(http::status::ok, asked.version());
        answer.keep_alive(asked.keep_alive());
        answer.body() = asked.body() + " from " + std::string(asked.target());
        if (asked.target() == "/chunked") {
            answer.chunked(true);
        } else {
            answer.prepare_payload();
        }
        co_await http::async_write(stream, answer, use_task);
        more = asked.keep_alive();
    }
    beast::close_socket(stream);
}

task<> serve_web(tcp_stream stream) {
    web_stream web(std::move(stream));
    web.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    co_await web.async_accept(use_task);
    for (;;) {
        beast::flat_buffer buffer;
        const auto read = co_await web.async_read(buffer, with_code);
        if (std::get<0>(read) == websocket::error::closed) co_return;
        web.text(web.got_text());
        co_await web.async_write(buffer.data(), use_task);
    }
}

task<> accept_one(tcp_acceptor& acceptor, task<> (*serve)(tcp_stream)) {
    tcp_stream stream = co_await acceptor.async_accept();
    co_await serve(std::move(stream));
}

}  // namespace

BOOST_DATA_TEST_CASE(an_http_server_and_its_client, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        tcp_acceptor acceptor(shard_executor::current(), loopback());
        scope server;
        server.spawn(accept_one(acceptor, &serve_http));
        tcp_stream stream(shard_executor::current());
        stream.expires_after(10s);
        co_await stream.async_connect(acceptor.local_endpoint());
        beast::flat_buffer buffer;
        for (const char* target : {"/first", "/chunked", "/large", "/last"}) {
            request ask(http::verb::post, target, 11);
            ask.set(http::field::host, "leat");
            ask.keep_alive(std::string(target) != "/last");
            ask.body() = std::string(std::string(target) == "/large" ? 900'000 : 5, 'b');
            ask.prepare_payload();
            co_await http::async_write(stream, ask, use_task);
            response answer;
            co_await http::async_read(stream, buffer, answer, use_task);
            LEAT_EXPECT(answer.result() == http::status::ok);
            LEAT_EXPECT(answer.body() == ask.body() + " from " + target);
        }
        response none;
        const auto end = co_await http::async_read(stream, buffer, none, with_code);
        LEAT_EXPECT(std::get<0>(end) == http::error::end_of_stream);
        co_await server.join();
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(a_web_socket_echoes_and_closes, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        const std::size_t threads_before = threads();
        tcp_acceptor acceptor(shard_executor::current(), loopback());
        scope server;
        server.spawn(accept_one(acceptor, &serve_web));
        tcp_stream stream(shard_executor::current());
        co_await stream.async_connect(acceptor.local_endpoint());
        {
            web_stream web(std::move(stream));
            web.set_option(websocket::stream_base::timeout::suggested(beast::role_type::client));
            co_await web.async_handshake("leat", "/", use_task);
            for (const std::size_t size : {1U, 100U, 70'000U, 1'000'000U}) {
                const std::string out(size, 'w');
                // Both at once: the echo begins before all is sent.
                told sent;
                web.async_write(asio::buffer(out), sent.handler());
                beast::flat_buffer in;
                co_await web.async_read(in, use_task);
                LEAT_EXPECT(beast::buffers_to_string(in.data()) == out);
                const bool done = co_await until([&] { return sent.calls == 1; });
                LEAT_EXPECT(done && !sent.code);
            }
            LEAT_EXPECT(threads() == threads_before);
            co_await web.async_close(websocket::close_code::normal, use_task);
            // Both sides have torn down: the server first, the client behind it.
            LEAT_EXPECT(!beast::get_lowest_layer(web).is_open());
        }
        co_await server.join();
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(a_web_socket_whose_peer_is_silent_times_out, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        connection both;
        web_stream web(std::move(both.near));
        websocket::stream_base::timeout limits{};
        limits.handshake_timeout = 5ms;
        limits.idle_timeout = websocket::stream_base::none();
        web.set_option(limits);
        const auto result = co_await web.async_accept(with_code);
        LEAT_EXPECT(std::get<0>(result) == beast::error::timeout);
        LEAT_EXPECT(!beast::get_lowest_layer(web).is_open());
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_AUTO_TEST_SUITE_END()
