// One at a time.
#include "engine_support.hpp"
#include "misuse.hpp"

#include <leat/engine/mutex.hpp>
#include <leat/engine/resume_on.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/with_timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(mutex_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::code_of;
using leat::test::dies_saying;
using leat::test::options_of;

namespace {

task<> write(leat::mutex& one, char name, std::string& out) {
    const leat::mutex::guard mine = co_await one.lock();
    for (int i = 0; i < 3; ++i) {
        out += name;
        co_await leat::yield{};
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(one_at_a_time_in_order_also_across_waits) {
    engine owner{options_of(1)};
    auto job = []() -> task<std::string> {
        leat::mutex one;
        std::string out;
        scope all;
        for (const char name : {'a', 'b', 'c'}) all.spawn(write(one, name, out));
        co_await all.join();
        out += one.locked() ? '!' : '.';
        co_return out;
    };
    BOOST_TEST(owner.run(job()) == "aaabbbccc.");
}

BOOST_AUTO_TEST_CASE(a_guard_moves_unlocks_early_and_a_try_waits_not) {
    engine owner{options_of(1)};
    auto job = []() -> task<bool> {
        leat::mutex one;
        leat::mutex::guard first = co_await one.lock();
        bool right = one.locked() && !one.try_lock();
        leat::mutex::guard second = std::move(first);
        right = right && !first.owns_lock() && second.owns_lock() && one.locked();
        second.unlock();
        const auto third = one.try_lock();
        co_return right&& third && third->owns_lock();
    };
    BOOST_TEST(owner.run(job()));
}

BOOST_AUTO_TEST_CASE(a_timeout_ends_the_wait_and_is_told_as_a_mutex) {
    engine owner{options_of(1)};
    auto job = []() -> task<bool> {
        leat::mutex one;
        std::string out;
        leat::mutex::guard held = co_await one.lock();
        task<> late = with_timeout(write(one, 'x', out), 1ms);
        const bool timed_out = co_await code_of(std::move(late)) == errc::timed_out;
        co_return timed_out&& one.waiting() == 0 && out.empty();
    };
    BOOST_TEST(owner.run(job()));
    auto twice = []() -> task<> {
        leat::mutex one;
        const leat::mutex::guard held = co_await one.lock();
        const leat::mutex::guard again = co_await one.lock();
    };
    auto running = owner.spawn_on(0, twice());
    while (owner.waiting(1, 10s).empty()) {
    }
    BOOST_TEST((owner.waiting(1, 10s).front().awaits.doing == activity::mutex));
    owner.stop();
    BOOST_CHECK_THROW(running.get(), system_error);
}

BOOST_AUTO_TEST_CASE(mistakes_end_the_program_with_a_sentence) {
    BOOST_TEST(dies_saying("leat::mutex was made off the shards", [] { leat::mutex one; }));
    BOOST_TEST(dies_saying("leat::mutex was used on another shard", [] {
        engine owner{options_of(2)};
        auto job = []() -> task<> {
            leat::mutex one;
            const leat::mutex::guard mine = co_await one.lock();
            co_await resume_on(1);
            static_cast<void>(one.try_lock());
        };
        owner.run(job());
    }));
}

BOOST_AUTO_TEST_SUITE_END()
