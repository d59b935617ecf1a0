// Sleepers wake in time, once.
#include "engine_support.hpp"

#include <leat/engine/scope.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <vector>

BOOST_AUTO_TEST_SUITE(sleep_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::both_backends;
using leat::test::code_of;
using leat::test::nap;
using leat::test::options_of;

namespace {

task<> nap_and_note(std::chrono::milliseconds time, std::vector<int>& order) {
    co_await leat::sleep(time);
    order.push_back(static_cast<int>(time.count()));
}

}  // namespace

BOOST_DATA_TEST_CASE(sleepers_wake_in_the_order_of_their_times_and_not_early, both_backends, kind) {
    engine owner{options_of(1, kind)};
    auto job = []() -> task<std::vector<int>> {
        const io::time_point begin = this_shard().now();
        std::vector<int> order;
        std::vector<task<>> sleepers;
        for (const int ms : {30, 10, 0, 20, 40}) {
            sleepers.push_back(nap_and_note(std::chrono::milliseconds{ms}, order));
        }
        co_await when_all(std::move(sleepers));
        if (this_shard().now() - begin < 40ms) order.push_back(-1);
        co_return order;
    };
    BOOST_TEST(owner.run(job()) == (std::vector<int>{0, 10, 20, 30, 40}));
}

BOOST_AUTO_TEST_CASE(no_time_is_too_short_or_too_long) {
    engine owner{options_of(1)};
    owner.run(nap(0ns));
    owner.run(nap(-1h));
    owner.run(nap(std::chrono::nanoseconds::min()));
    owner.run(nap(std::chrono::hours::min()));
    auto endless = []() -> task<boost::system::error_code> {
        std::stop_source source;
        const std::stop_token token = source.get_token();
        scope other;
        auto stopper = [](std::stop_source& what) -> task<> {
            co_await leat::sleep(5ms);
            what.request_stop();
        };
        other.spawn(stopper(source));
        task<> longest = nap(std::chrono::hours::max());
        longest.set_stop(token);
        const boost::system::error_code code = co_await code_of(std::move(longest));
        co_await other.join();
        co_return code;
    };
    BOOST_TEST(owner.run(endless()) == errc::cancelled);
}

BOOST_AUTO_TEST_CASE(a_stop_request_ends_it_before_or_after_it_began) {
    engine owner{options_of(1)};
    auto job = [](bool before) -> task<boost::system::error_code> {
        std::stop_source source;
        const std::stop_token token = source.get_token();
        if (before) source.request_stop();
        test::call later{[&source] { source.request_stop(); }};
        if (!before) this_shard().schedule(later);
        task<> sleeper = nap(1h);
        sleeper.set_stop(token);
        co_return co_await code_of(std::move(sleeper));
    };
    BOOST_TEST(owner.run(job(true)) == errc::cancelled);
    BOOST_TEST(owner.run(job(false)) == errc::cancelled);
    auto sleeping = owner.spawn_on(0, code_of(nap(1h)));
    owner.stop();
    BOOST_TEST(sleeping.get() == errc::stopped);
}

BOOST_AUTO_TEST_SUITE_END()
