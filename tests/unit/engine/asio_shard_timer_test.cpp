// Waits for a time, and everything that ends them.
#include "asio_support.hpp"

#include <leat/engine/asio/shard_timer.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>

BOOST_AUTO_TEST_SUITE(asio_shard_timer_test)

using namespace leat;
using namespace leat::test;
using namespace std::chrono_literals;

BOOST_DATA_TEST_CASE(waits_end_at_the_deadline_and_not_before, both_backends, kind) {
    auto job = [](engine&) -> task<std::string> {
        const io::time_point begin = this_shard().now();
        shard_timer timer(shard_executor::current(), 5ms);
        LEAT_EXPECT(timer.expiry() >= begin + 5ms);
        told first;
        told second;
        timer.async_wait(first.handler());
        timer.async_wait(second.handler());
        LEAT_EXPECT(first.calls == 0);
        co_await timer.async_wait();
        LEAT_EXPECT(this_shard().now() >= begin + 5ms);
        co_await some_turns();
        LEAT_EXPECT(first.calls == 1 && !first.code && second.calls == 1 && !second.code);
        // One that has passed is posted.
        timer.async_wait(first.handler());
        LEAT_EXPECT(first.calls == 1);
        co_await some_turns();
        LEAT_EXPECT(first.calls == 2 && !first.code);
        co_return "";
    };
    BOOST_TEST(outcome_of(1, kind, job) == "");
}

BOOST_AUTO_TEST_CASE(whatever_ends_a_wait_ends_it_once) {
    auto job = [](engine&) -> task<std::string> {
        told wait;
        told other;
        asio::cancellation_signal signal;
        for (const char* how : {"cancel", "expires_after", "destroy", "slot"}) {
            std::optional<shard_timer> timer(std::in_place, shard_executor::current(), 1h);
            wait = other = {};
            timer->async_wait(asio::bind_cancellation_slot(signal.slot(), wait.handler()));
            timer->async_wait(other.handler());
            co_await some_turns();
            LEAT_EXPECT(wait.calls == 0);
            const std::string way = how;
            if (way == "cancel") LEAT_EXPECT(timer->cancel() == 2);
            if (way == "expires_after") LEAT_EXPECT(timer->expires_after(1ms) == 2);
            if (way == "destroy") timer.reset();
            if (way == "slot") {
                signal.emit(asio::cancellation_type::terminal);
                signal.emit(asio::cancellation_type::terminal);
            }
            LEAT_EXPECT(wait.calls == 0);
            co_await leat::sleep(2ms);
            LEAT_EXPECT(wait.calls == 1 && wait.code == asio::error::operation_aborted);
            LEAT_EXPECT(other.calls == (way == "slot" ? 0 : 1));
            if (way == "expires_after") {  // nobody waits for the new one
                co_await timer->async_wait();
            }
            timer.reset();
            co_await some_turns();
            LEAT_EXPECT(other.calls == 1 && other.code == asio::error::operation_aborted);
            signal.emit(asio::cancellation_type::terminal);
        }
        co_return "";
    };
    BOOST_TEST(outcome_of(1, io::backend_kind::automatic, job) == "");
}

BOOST_AUTO_TEST_CASE(the_engines_stop_ends_waits_also_later_ones) {
    const leftovers before;
    told wait;
    told late;
    std::optional<shard_timer> timer;
    {
        engine owner{options_of(1)};
        auto job = [&](engine& stopped) -> task<> {
            timer.emplace(shard_executor::current(), 1h);
            timer->async_wait([&](error_code code) {
                wait.handler()(code);
                timer->async_wait(late.handler());
            });
            stopped.stop();
            co_return;
        };
        owner.run(job(owner));
        BOOST_TEST(!owner.join().code);
        BOOST_TEST(wait.calls == 1);
        BOOST_TEST((wait.code == asio::error::operation_aborted));
        BOOST_TEST(late.calls == 1);
        BOOST_TEST((late.code == asio::error::operation_aborted));
    }
    timer.reset();  // outlived the engine
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_SUITE_END()
