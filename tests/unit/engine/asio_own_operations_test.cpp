#include "asio_support.hpp"

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <csignal>

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

BOOST_AUTO_TEST_SUITE_END()
