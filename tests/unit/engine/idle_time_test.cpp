// How long a shard has had nothing to do.
#include "small_engine.hpp"

#include <leat/engine/engine.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>

BOOST_AUTO_TEST_SUITE(idle_time_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

std::chrono::nanoseconds idle() {
    return std::chrono::nanoseconds{this_shard().statistics().idle_ns};
}

task<std::chrono::nanoseconds> idle_while_asleep() {
    const auto before = idle();
    co_await leat::sleep(50ms);
    co_return idle() - before;
}

task<std::chrono::nanoseconds> idle_while_busy() {
    const auto before = idle();
    for (int turn = 0; turn < 10; ++turn) {
        const auto end = steady_clock::now() + 2ms;
        while (steady_clock::now() < end) {
        }
        co_await leat::yield{};
    }
    co_return idle() - before;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_shard_that_sleeps_is_idle_and_one_with_something_to_do_is_not) {
    for (const auto spin : {0us, 1'000'000us}) {
        engine_options options = test::small_engine(1, 2_MiB, 64_KiB);
        options.spin = spin;
        engine owner{options};
        BOOST_TEST(owner.run(idle_while_asleep()).count() > 45'000'000);
        BOOST_TEST(owner.run(idle_while_busy()).count() == 0);
    }
}

BOOST_AUTO_TEST_CASE(idle_time_counts_while_it_lasts) {
    engine owner{test::small_engine(1, 2_MiB, 64_KiB)};
    owner.run(idle_while_busy());
    const auto first = owner.statistics(10s).at(0).value().idle_ns;
    const auto begun = steady_clock::now();
    while (steady_clock::now() - begun < 30ms) {
    }
    const auto second = owner.statistics(10s).at(0).value().idle_ns;
    const auto third = owner.statistics(10s).at(0).value().idle_ns;
    BOOST_TEST(second > first + 20'000'000);
    BOOST_TEST(third >= second);
}

BOOST_AUTO_TEST_SUITE_END()
