// Asio's composed operations on a shard's streams.
#include "asio_support.hpp"

#include <leat/engine/asio/shard_timer.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <numeric>
#include <string>

BOOST_AUTO_TEST_SUITE(asio_tcp_composed_test)

using namespace leat;
using namespace leat::test;
using namespace std::chrono_literals;
using asio::use_awaitable;

BOOST_DATA_TEST_CASE(lines_are_read_until_their_end, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        connection both;
        told sent;
        const std::string text = "one\ntwo\n" + std::string(100'000, 'x') + "\nrest";
        asio::async_write(both.near, asio::buffer(text), sent.handler());
        std::string line;
        for (const std::size_t expected : {4U, 4U, 100'001U}) {
            const std::size_t count = co_await asio::async_read_until(
                both.far, asio::dynamic_buffer(line), '\n', use_task);
            LEAT_EXPECT(count == expected);
            line.erase(0, count);
        }
        both.near.close();
        const auto end =
            co_await asio::async_read_until(both.far, asio::dynamic_buffer(line), '\n', with_code);
        LEAT_EXPECT(std::get<0>(end) == asio::error::eof && line == "rest");
        LEAT_EXPECT(sent.calls == 1 && !sent.code && sent.count == text.size());
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

namespace {

asio::awaitable<void> echo(tcp_stream stream) {
    std::array<char, 1024> memory{};
    for (;;) {
        const std::size_t count =
            co_await stream.async_read_some(asio::buffer(memory), use_awaitable);
        co_await asio::async_write(stream, asio::buffer(memory.data(), count), use_awaitable);
    }
}

asio::awaitable<bool> converse(tcp::endpoint endpoint) {
    using namespace asio::experimental::awaitable_operators;
    tcp_stream stream(shard_executor::current());
    co_await stream.async_connect(endpoint, use_awaitable);
    bool good = true;
    for (int round = 0; round < 20; ++round) {
        const std::string out(static_cast<std::size_t>(1 + 5000 * round), 'a');
        std::string in(out.size(), ' ');
        // Both at once, each with a slot of its own.
        co_await (asio::async_write(stream, asio::buffer(out), use_awaitable) &&
                  asio::async_read(stream, asio::buffer(in), use_awaitable));
        good = good && in == out;
        // Whichever is first cancels the other: here the timer, since nothing comes.
        shard_timer timer(stream.get_executor(), 100us);
        char none = 0;
        const auto first = co_await (timer.async_wait(use_awaitable) ||
                                     stream.async_read_some(asio::buffer(&none, 1), use_awaitable));
        good = good && first.index() == 0;
    }
    co_return good;
}

asio::awaitable<void> serve(tcp_acceptor& acceptor) {
    for (;;) {
        tcp_stream stream = co_await acceptor.async_accept(use_awaitable);
        asio::co_spawn(acceptor.get_executor(), echo(std::move(stream)), [](std::exception_ptr) {});
    }
}

}  // namespace

BOOST_DATA_TEST_CASE(awaitables_wait_for_both_or_either, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        tcp_acceptor acceptor(shard_executor::current(), loopback());
        int served = 0;
        int answered = 0;
        bool good = true;
        asio::co_spawn(acceptor.get_executor(), serve(acceptor),
                       [&](std::exception_ptr) { ++served; });
        for (int i = 0; i < 3; ++i) {
            asio::co_spawn(acceptor.get_executor(), converse(acceptor.local_endpoint()),
                           [&](std::exception_ptr failure, bool right) {
                               ++answered;
                               good = good && !failure && right;
                           });
        }
        const bool done = co_await until([&] { return answered == 3; });
        LEAT_EXPECT(done && good && served == 0);
        acceptor.close();
        const bool ended = co_await until([&] { return served == 1; });
        LEAT_EXPECT(ended);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(a_channel_carries_what_was_received, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        connection both;
        using channel_type =
            asio::experimental::channel<shard_executor, void(error_code, std::string)>;
        channel_type channel(both.near.get_executor(), 2);
        auto produce = [](tcp_stream& from, channel_type& into) -> task<> {
            for (std::string line;;) {
                const auto got = co_await asio::async_read_until(from, asio::dynamic_buffer(line),
                                                                 '\n', with_code);
                if (std::get<0>(got)) break;
                std::string whole = line.substr(0, std::get<1>(got));
                line.erase(0, whole.size());
                co_await into.async_send(error_code(), std::move(whole), use_task);
            }
            into.close();
        };
        scope side;
        side.spawn(produce(both.far, channel));
        std::string text;
        for (int i = 0; i < 100; ++i) text += std::to_string(i) + '\n';
        co_await asio::async_write(both.near, asio::buffer(text), use_task);
        both.near.shutdown(tcp_stream::shutdown_send);
        std::string received;
        for (;;) {
            const auto one = co_await channel.async_receive(with_code);
            if (std::get<0>(one)) break;
            received += std::get<1>(one);
        }
        co_await side.join();
        LEAT_EXPECT(received == text);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(handlers_of_a_strand, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        connection both;
        auto strand = asio::make_strand(both.near.get_executor());
        std::array<char, 64> memory{};
        told read;
        bool inside = false;
        auto handler = [&](error_code code, std::size_t count) {
            inside = strand.running_in_this_thread();
            read.handler()(code, count);
        };
        asio::async_read(both.near, asio::buffer(memory), asio::bind_executor(strand, handler));
        co_await asio::async_write(both.far, asio::buffer(std::array<char, 64>{}), use_task);
        const bool done = co_await until([&] { return read.calls > 0; });
        LEAT_EXPECT(done && inside && read.count == 64);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_AUTO_TEST_SUITE_END()
