// Waiting for an event.
#include "engine_support.hpp"
#include "misuse.hpp"

#include <leat/engine/manual_reset_event.hpp>
#include <leat/engine/resume_on.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/with_timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>

BOOST_AUTO_TEST_SUITE(manual_reset_event_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::code_of;
using leat::test::dies_saying;
using leat::test::options_of;

namespace {

task<> wait_for(manual_reset_event& one, char name, std::string& order) {
    co_await one.wait();
    order += name;
}

}  // namespace

BOOST_AUTO_TEST_CASE(set_lets_all_go_in_order_until_reset) {
    engine owner{options_of(1)};
    auto job = []() -> task<std::string> {
        std::optional<manual_reset_event> one{std::in_place};
        std::string order;
        scope all;
        for (const char name : {'a', 'b', 'c'}) all.spawn(wait_for(*one, name, order));
        co_await leat::yield{};
        co_await leat::yield{};
        order += std::to_string(one->waiting());
        one->set();
        one->reset();  // does not hold back those that were let go
        one.reset();   // nor do they need it
        co_await all.join();
        one.emplace();
        one->set();
        co_await wait_for(*one, 'd', order);
        one->reset();
        task<> late = with_timeout(wait_for(*one, 'x', order), 1ms);
        const auto code = co_await code_of(std::move(late));
        order += code == errc::timed_out && one->waiting() == 0 ? "." : "!";
        co_return order;
    };
    BOOST_TEST(owner.run(job()) == "3abcd.");
}

BOOST_AUTO_TEST_CASE(the_engines_stop_ends_the_wait) {
    engine owner{options_of(1)};
    auto job = []() -> task<boost::system::error_code> {
        manual_reset_event never;
        std::string order;
        co_return co_await code_of(wait_for(never, 'x', order));
    };
    auto running = owner.spawn_on(0, job());
    while (owner.waiting(1, 10s).empty()) {
    }
    BOOST_TEST(to_string(owner.waiting(1, 10s).front()).find("manual_reset_event") !=
               std::string::npos);
    owner.stop();
    BOOST_TEST(running.get() == errc::stopped);
}

BOOST_AUTO_TEST_CASE(mistakes_end_the_program_with_a_sentence) {
    BOOST_TEST(
        dies_saying("manual_reset_event was made off the shards", [] { manual_reset_event one; }));
    BOOST_TEST(dies_saying("manual_reset_event was used on another shard", [] {
        engine owner{options_of(2)};
        auto job = []() -> task<> {
            manual_reset_event one;
            co_await resume_on(1);
            one.set();
        };
        owner.run(job());
    }));
    BOOST_TEST(dies_saying("manual_reset_event was destroyed while tasks wait", [] {
        engine owner{options_of(1)};
        auto job = []() -> task<> {
            std::string order;
            std::optional<manual_reset_event> one{std::in_place};
            scope all;
            all.spawn(wait_for(*one, 'a', order));
            co_await leat::yield{};
            one.reset();
        };
        owner.run(job());
    }));
}

BOOST_AUTO_TEST_SUITE_END()
