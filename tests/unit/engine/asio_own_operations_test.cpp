// Asio's own signals, resolvers and timers on a shard.
#include "asio_support.hpp"

#include <leat/engine/host_loop.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <string>

BOOST_AUTO_TEST_SUITE(asio_own_operations_test)

using namespace std::chrono_literals;
using namespace leat;
using namespace leat::test;

// What Asio brings itself: where it runs, and with leat's token as the default.
BOOST_AUTO_TEST_SUITE(asio_own_operations)

namespace {
template <class Object>
using by_default = use_task_t::as_default_on_t<Object>;

task<bool> count_signals(std::atomic<int>& count, int wanted) {
    by_default<asio::signal_set> signals(shard_executor::current(), SIGUSR1);
    shard* const home = shard::current();
    for (count = 0; count < wanted; ++count) {
        const int signal = co_await signals.async_wait();
        if (signal != SIGUSR1 || shard::current() != home) co_return false;
    }
    co_return true;
}
}  // namespace

BOOST_DATA_TEST_CASE(a_signal_wakes_the_shard_that_waits_for_it, both_backends, kind) {
    const leftovers before;
    {
        engine owner{options_of(2, kind)};
        owner.start();
        std::atomic<int> count{-1};
        auto counted = owner.spawn_on(1, count_signals(count, 20));
        for (int raised = 0; raised < 20; ++raised) {
            while (count != raised) std::this_thread::yield();
            if (raised % 2 == 1) std::this_thread::sleep_for(1ms);  // the shard parks
            std::raise(SIGUSR1);
        }
        BOOST_TEST(counted.get());
    }
    BOOST_TEST(before.none());
}

BOOST_DATA_TEST_CASE(a_resolver_has_one_thread_and_completes_on_the_shard, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        shard* const home = shard::current();
        by_default<asio::steady_timer> timer(shard_executor::current(), 1us);
        co_await timer.async_wait();
        const std::size_t before = threads();
        by_default<tcp::resolver> resolver(shard_executor::current());
        for (int round = 0; round < 3; ++round) {
            const auto found = co_await resolver.async_resolve(
                "127.0.0.1", "80", tcp::resolver::numeric_host | tcp::resolver::numeric_service);
            LEAT_EXPECT(found.size() == 1 && found.begin()->endpoint() == loopback(80));
            LEAT_EXPECT(shard::current() == home);
        }
        LEAT_EXPECT(threads() == before + 1);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_DATA_TEST_CASE(use_task_is_the_default_token_of_rebound_objects, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        using executor = use_task_t::executor_with_default<shard_executor>;
        static_assert(asio::execution::is_executor<executor>::value);
        by_default<asio::experimental::channel<void(error_code, int)>> channel(
            shard_executor::current(), 1);
        co_await channel.async_send(error_code{}, 7);
        const int received = co_await channel.async_receive();
        LEAT_EXPECT(received == 7);
        asio::basic_waitable_timer<std::chrono::steady_clock,
                                   asio::wait_traits<std::chrono::steady_clock>, executor>
            timer(executor(shard_executor::current()), 1ms);
        co_await timer.async_wait();
        LEAT_EXPECT(timer.expiry() <= std::chrono::steady_clock::now());
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

namespace {

// Waking for nothing would be thousands of turns.
constexpr std::uint64_t few_turns = 50;

/// Turns of the shard while nothing is to be done there.
task<std::uint64_t> idle_turns() {
    co_await leat::sleep(30ms);
    const std::uint64_t before = this_shard().turn_number();
    co_await leat::sleep(100ms);
    co_return this_shard().turn_number() - before;
}

task<std::string> stays_parked(const char* with) {
    const std::uint64_t turns = co_await idle_turns();
    co_return turns < few_turns ? "" : with + (": " + std::to_string(turns) + " turns; ");
}

task<std::string> park_beside_timers() {
    asio::steady_timer cancelled(shard_executor::current(), 10ms);
    cancelled.async_wait([](error_code) {});
    cancelled.cancel();
    std::string told = co_await stays_parked("a cancelled timer");
    {
        asio::steady_timer destroyed(shard_executor::current(), 10ms);
        destroyed.async_wait([](error_code) {});
    }
    told += co_await stays_parked("a destroyed timer");
    asio::steady_timer moved(shard_executor::current(), 10ms);
    moved.async_wait([](error_code) {});
    moved.expires_after(1h);
    moved.async_wait([](error_code) {});
    told += co_await stays_parked("a timer put off");
    co_return told;
}

task<std::string> park_beside_sockets() {
    tcp::acceptor acceptor(shard_executor::current(), loopback());
    tcp::socket peer(shard_executor::current());
    peer.connect(acceptor.local_endpoint());
    tcp::socket socket = acceptor.accept();
    peer.write_some(asio::buffer("some", 4));
    std::string told = co_await stays_parked("unread bytes");
    char one = 0;
    co_await socket.async_read_some(asio::buffer(&one, 1), use_task);
    told += co_await stays_parked("bytes that were read in part");
    socket.async_wait(tcp::socket::wait_error, [](error_code) {});
    socket.cancel();
    peer.close();
    told += co_await stays_parked("a peer that has gone");
    LEAT_EXPECT(one == 's');
    co_return told;
}

task<std::string> park_beside_others() {
    asio::signal_set signals(shard_executor::current(), SIGUSR1);
    std::string told;
    signals.async_wait([](error_code, int) {});
    signals.cancel();
    ::kill(::getpid(), SIGUSR1);
    told += co_await stays_parked("a signal that nobody waits for");
    tcp::resolver resolver(shard_executor::current());
    resolver.async_resolve("127.0.0.1", "80", tcp::resolver::numeric_host,
                           [](error_code, const tcp::resolver::results_type&) {});
    resolver.cancel();
    told += co_await stays_parked("a name that nobody waits for");
    co_return told;
}

}  // namespace

BOOST_DATA_TEST_CASE(what_nobody_waits_for_lets_the_shard_park, both_backends, kind) {
    engine_options options = options_of(1, kind);
    options.spin = 0us;
    engine owner{options};
    BOOST_TEST(owner.run(park_beside_timers()) == "");
    BOOST_TEST(owner.run(park_beside_sockets()) == "");
    BOOST_TEST(owner.run(park_beside_others()) == "");
}

namespace {
task<> forget_a_timer() {
    asio::steady_timer forgotten(shard_executor::current(), 10ms);
    forgotten.async_wait([](error_code) {});
    co_return;
}
}  // namespace

BOOST_DATA_TEST_CASE(a_host_may_wait_when_a_timer_was_forgotten, both_backends, kind) {
    engine_options options = options_of(1, kind);
    options.hosted = true;
    engine owner{options};
    host_loop loop{owner};
    owner.spawn_on(0, forget_a_timer());
    const auto turns_to_rest = [&loop] {
        std::uint64_t turns = 1;
        while (loop.turn() && turns < few_turns) ++turns;
        return turns;
    };
    BOOST_TEST(turns_to_rest() < few_turns);
    pollfd waited{loop.descriptor(), POLLIN, 0};
    BOOST_TEST(::poll(&waited, 1, 10'000) == 1);  // the timer's time comes
    BOOST_TEST(turns_to_rest() < few_turns);
    BOOST_TEST(::poll(&waited, 1, 20) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
