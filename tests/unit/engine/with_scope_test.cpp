// What a body spawns is joined whatever happens.
#include "engine_support.hpp"

#include <leat/engine/sleep.hpp>
#include <leat/engine/with_scope.hpp>
#include <leat/engine/with_timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <stdexcept>
#include <string>

BOOST_AUTO_TEST_SUITE(with_scope_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::code_of;
using leat::test::nap;
using leat::test::options_of;

namespace {

task<> stoppable(std::string& ended) {
    const auto code = co_await code_of(nap(1h));
    co_await leat::yield{};
    ended += code == errc::cancelled ? "c" : code == errc::stopped ? "s" : "?";
}

task<> fail(const char* what) {
    co_await leat::yield{};
    throw std::logic_error(what);
}

task<std::string> what_is_thrown_by(task<> job) {
    std::string what = "nothing";
    task<> running = std::move(job);
    try {
        co_await std::move(running);
    } catch (const std::logic_error& thrown) {
        what = thrown.what();
    }
    co_return what;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_was_spawned_is_waited_for_and_the_value_passed_on) {
    engine owner{options_of(1)};
    auto job = []() -> task<bool> {
        int ended = 0;
        auto count = [&](std::chrono::nanoseconds time) -> task<> {
            co_await leat::sleep(time);
            ++ended;
        };
        auto body = [&](scope& mine) -> task<std::unique_ptr<int>> {
            mine.spawn(count(2ms));
            mine.spawn(count(1ms));
            co_return std::make_unique<int>(7);
        };
        const std::unique_ptr<int> seven = co_await with_scope(body);
        co_return ended == 2 && *seven == 7;
    };
    BOOST_TEST(owner.run(job()));
}

BOOST_AUTO_TEST_CASE(an_exception_of_the_body_stops_the_others_which_are_joined) {
    const test::leftovers before;
    {
        engine owner{options_of(1)};
        auto job = []() -> task<std::string> {
            std::string ended;
            auto body = [&](scope& mine) -> task<> {
                mine.spawn(stoppable(ended));
                mine.spawn(stoppable(ended));
                co_await fail("body");
            };
            const std::string what = co_await what_is_thrown_by(with_scope(body));
            auto at_once = [](scope&) -> task<> { throw std::logic_error("no task"); };
            const std::string other = co_await what_is_thrown_by(with_scope(at_once));
            co_return ended + ' ' + what + ' ' + other;
        };
        BOOST_TEST(owner.run(job()) == "cc body no task");
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(an_error_of_what_was_spawned_stops_the_body) {
    engine owner{options_of(1)};
    auto job = []() -> task<std::string> {
        std::string ended;
        auto body = [&](scope& mine) -> task<> {
            mine.spawn(stoppable(ended));
            mine.spawn(fail("spawned"));
            co_await nap(1h);
        };
        const std::string what = co_await what_is_thrown_by(with_scope(body));
        co_return ended + ' ' + what;
    };
    BOOST_TEST(owner.run(job()) == "c spawned");
}

BOOST_AUTO_TEST_CASE(the_body_may_stop_and_join_what_it_spawned_and_spawn_again) {
    engine owner{options_of(1)};
    auto job = []() -> task<std::string> {
        std::string ended;
        auto body = [&](scope& mine) -> task<> {
            mine.spawn(nap(1ms));
            co_await mine.join();
            ended += "joined ";
            mine.spawn(stoppable(ended));
            co_await leat::yield{};
            mine.request_stop();
            co_await nap(1ms);  // not stopped by that
            ended += " slept";
        };
        co_await with_scope(body);
        co_return ended;
    };
    BOOST_TEST(owner.run(job()) == "joined c slept");
}

BOOST_AUTO_TEST_CASE(a_stop_request_reaches_body_and_spawned) {
    engine owner{options_of(1)};
    auto job = []() -> task<std::string> {
        std::string ended;
        auto body = [&](scope& mine) -> task<> {
            mine.spawn(stoppable(ended));
            co_await stoppable(ended);
        };
        task<> limited = with_timeout(with_scope(body), 1ms);
        const auto code = co_await code_of(std::move(limited));
        co_return ended + (code ? "!" : "");
    };
    BOOST_TEST(owner.run(job()) == "cc");
    std::string ended;
    auto body = [&](scope& mine) -> task<> {
        mine.spawn(stoppable(ended));
        co_await stoppable(ended);
    };
    auto running = owner.spawn_on(0, with_scope(body));
    while (owner.waiting(10, 10s).size() != 3) {
    }
    owner.stop();
    running.get();
    BOOST_TEST(ended == "ss");
}

BOOST_AUTO_TEST_SUITE_END()
