// Sending what fits, and waiting for room.
#include "asio_support.hpp"

#include <boost/asio/read.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(asio_tcp_try_send_test)

using namespace leat;
using namespace leat::test;
using namespace std::chrono_literals;

BOOST_DATA_TEST_CASE(what_fits_is_sent_at_once, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        connection both;
        std::vector<std::byte> sent(1 << 16);
        for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<std::byte>(i * 7);
        const auto none = both.near.try_send({});
        LEAT_EXPECT(none && *none == 0);
        const auto some = both.near.try_send(std::span(sent).first(100));
        LEAT_EXPECT(some && *some == 100);
        std::vector<std::byte> got(100);
        co_await asio::async_read(both.far, asio::buffer(got), use_task);
        LEAT_EXPECT(std::equal(got.begin(), got.end(), sent.begin()));
        // Until there is no room; then it says so instead of waiting.
        std::size_t all = co_await fill(both.near);
        const auto full = both.near.try_send(sent);
        LEAT_EXPECT(full && *full == 0);
        // A wait for room ends when the peer has read, not before.
        told room;
        both.near.async_wait(tcp_stream::wait_write, room.handler());
        co_await some_turns();
        LEAT_EXPECT(room.calls == 0);
        for (std::vector<std::byte> into(1 << 16); all > 0;) {
            const std::size_t count = co_await both.far.async_read_some(asio::buffer(into));
            all -= count;
        }
        LEAT_EXPECT(co_await until([&] { return room.calls == 1; }));
        LEAT_EXPECT(!room.code);
        const auto again = both.near.try_send(std::span(sent).first(10));
        LEAT_EXPECT(again && *again == 10);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(waiting_for_bytes, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        connection both;
        told bytes;
        both.far.async_wait(tcp_stream::wait_read, bytes.handler());
        co_await some_turns();
        LEAT_EXPECT(bytes.calls == 0);
        co_await both.near.async_write_some(asio::buffer("x", 1));
        LEAT_EXPECT(co_await until([&] { return bytes.calls == 1; }));
        LEAT_EXPECT(!bytes.code);
        // As every other operation it ends by cancel() and by the deadline.
        both.near.async_wait(tcp_stream::wait_read, bytes.handler());
        both.near.cancel();
        LEAT_EXPECT(co_await until([&] { return bytes.calls == 2; }));
        LEAT_EXPECT(bytes.code == asio::error::operation_aborted);
        both.near.expires_after(1ms);
        both.near.async_wait(tcp_stream::wait_read, bytes.handler());
        LEAT_EXPECT(co_await until([&] { return bytes.calls == 3; }));
        LEAT_EXPECT(bytes.code == asio::error::timed_out);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(what_try_send_refuses, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        const std::vector<std::byte> one(1);
        connection both;
        reset_at_close(both.far);
        both.far.close();
        LEAT_EXPECT(co_await until([&] { return both.near.try_send(one).has_error(); }));
        LEAT_EXPECT(both.near.try_send(one).error() == asio::error::broken_pipe);
        both.near.expires_after(0ns);
        co_await some_turns();
        LEAT_EXPECT(both.near.try_send(one).error() == asio::error::timed_out);
        both.near.close();
        LEAT_EXPECT(both.near.try_send(one).error() == asio::error::bad_descriptor);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_AUTO_TEST_SUITE_END()
