// Permits, in order, with cancellation.
#include "engine_support.hpp"
#include "misuse.hpp"

#include <leat/engine/resume_on.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/semaphore.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/with_timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>

BOOST_AUTO_TEST_SUITE(semaphore_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::code_of;
using leat::test::dies_saying;
using leat::test::options_of;

namespace {

/// Takes `count`, tells its name, lets others run `turns` times, and returns them.
task<> use(semaphore& of, std::size_t count, char name, std::string& order, int turns = 3) {
    const semaphore::permit held = co_await of.acquire(count);
    order += name;
    for (int i = 0; i < turns; ++i) co_await leat::yield{};
}

task<> take(semaphore& of, std::size_t count = 1) {
    const semaphore::permit held = co_await of.acquire(count);
}

/// Runs the task that job() gives on a shard, and gives its value.
template <class Job>
auto run(Job job) {
    engine owner{options_of(1)};
    return owner.run(job());
}

}  // namespace

BOOST_AUTO_TEST_CASE(so_many_hold_permits_and_the_others_wait_in_order) {
    auto job = []() -> task<std::string> {
        semaphore two{2};
        std::string order;
        scope all;
        for (const char name : {'a', 'b', 'c', 'd', 'e'}) all.spawn(use(two, 1, name, order));
        co_await leat::yield{};
        co_await leat::yield{};
        order += '(' + std::to_string(two.available()) + std::to_string(two.waiting()) + ')';
        co_await all.join();
        order += std::to_string(two.available());
        co_return order;
    };
    BOOST_TEST(run(job) == "ab(03)cde2");
}

BOOST_AUTO_TEST_CASE(who_wants_many_is_not_passed_over) {
    auto job = []() -> task<std::string> {
        semaphore three{3};
        std::string order;
        scope all;
        all.spawn(use(three, 2, 'a', order));
        all.spawn(use(three, 3, 'B', order));
        all.spawn(use(three, 1, 'c', order));  // a permit is free, but B was here before
        co_await leat::yield{};
        co_await leat::yield{};
        if (three.try_acquire()) order += '!';
        co_await all.join();
        co_return order;
    };
    BOOST_TEST(run(job) == "aBc");
}

BOOST_AUTO_TEST_CASE(a_cancelled_wait_loses_no_permit_and_lets_those_behind_it_go) {
    auto job = []() -> task<std::string> {
        semaphore two{2};
        std::string order;
        std::optional<semaphore::permit> held{co_await two.acquire()};
        task<> patient = with_timeout(take(two, 2), 1ms);
        scope all;
        auto wait_for_both = [&order](task<> waiting) -> task<> {
            const auto code = co_await code_of(std::move(waiting));
            order += code == errc::timed_out ? "timed out," : "?";
        };
        all.spawn(wait_for_both(std::move(patient)));
        all.spawn(use(two, 1, 'b', order));  // behind it, and served when it leaves
        co_await all.join();
        held.reset();
        order += std::to_string(two.available()) + std::to_string(two.waiting());
        co_return order;
    };
    BOOST_TEST(run(job) == "timed out,b20");
}

// The permit is given, and then a stop is requested before the waiter runs: it gets the permit, or
// the next does, whatever the order of the two in the turn.
BOOST_AUTO_TEST_CASE(a_permit_given_to_one_that_is_stopped_is_not_lost) {
    auto job = []() -> task<std::size_t> {
        std::size_t served = 0;
        for (int round = 0; round < 2; ++round) {
            semaphore one{1};
            std::optional<semaphore::permit> held{co_await one.acquire()};
            std::stop_source source;
            const std::stop_token token = source.get_token();
            auto count = [&]() -> task<> {
                const semaphore::permit mine = co_await one.acquire();
                ++served;
            };
            task<> stoppable = count();
            stoppable.set_stop(token);
            scope all;
            auto pass = [](task<> inner) -> task<> { co_await code_of(std::move(inner)); };
            all.spawn(pass(std::move(stoppable)));
            all.spawn(count());
            co_await leat::yield{};
            co_await leat::yield{};
            if (round == 0) source.request_stop();
            held.reset();
            if (round == 1) source.request_stop();
            co_await all.join();
            if (one.available() != 1) co_return 100;
        }
        co_return served;
    };
    // First round: it was stopped before; second: the permit was its own by then.
    BOOST_TEST(run(job) >= 3u);
}

BOOST_AUTO_TEST_CASE(the_engines_stop_ends_the_wait) {
    engine owner{options_of(1)};
    auto job = []() -> task<boost::system::error_code> {
        semaphore one{1};
        const semaphore::permit held = co_await one.acquire();
        co_return co_await code_of(take(one));
    };
    auto running = owner.spawn_on(0, job());
    while (owner.waiting(1, 10s).empty()) {
    }
    BOOST_TEST((owner.waiting(1, 10s).front().awaits.doing == activity::semaphore));
    owner.stop();
    BOOST_TEST(running.get() == errc::stopped);
}

BOOST_AUTO_TEST_CASE(permits_are_moved_and_returned_once) {
    auto job = []() -> task<std::string> {
        semaphore three{3};
        std::string seen;
        semaphore::permit first = co_await three.acquire();
        semaphore::permit second = std::move(first);
        second = co_await three.acquire(2);
        seen += std::to_string(three.available());
        second.release();
        second.release();
        seen += std::to_string(three.available());
        const auto tried = three.try_acquire(3);
        seen += tried && !three.try_acquire() ? "yes" : "no";
        co_return seen;
    };
    BOOST_TEST(run(job) == "13yes");
}

BOOST_AUTO_TEST_CASE(more_than_there_are_is_refused) {
    auto job = []() -> task<bool> {
        semaphore two{2};
        bool none = co_await code_of(take(two, 0)) == errc::invalid_option;
        co_return none&& co_await code_of(take(two, 3)) == errc::invalid_option;
    };
    BOOST_TEST(run(job));
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_turns_of_a_permit) {
    auto job = []() -> task<std::size_t> {
        semaphore one{1};
        std::size_t turns = 0;
        auto loop = [&]() -> task<> {
            for (int i = 0; i < 1000; ++i) {
                const semaphore::permit held = co_await one.acquire();
                ++turns;
                co_await leat::yield{};
            }
        };
        scope all;
        for (int i = 0; i < 100; ++i) all.spawn(loop());
        co_await all.join();
        co_return turns;
    };
    BOOST_TEST(run(job) == 100'000u);
}

BOOST_AUTO_TEST_CASE(mistakes_end_the_program_with_a_sentence) {
    BOOST_TEST(dies_saying("semaphore was made off the shards", [] { semaphore one{1}; }));
    BOOST_TEST(dies_saying("semaphore was used on another shard", [] {
        engine owner{options_of(2)};
        auto job = []() -> task<> {
            semaphore one{1};
            co_await resume_on(1);
            static_cast<void>(one.try_acquire());
        };
        owner.run(job());
    }));
    BOOST_TEST(dies_saying("semaphore was destroyed while tasks wait for it", [] {
        engine owner{options_of(1)};
        auto job = []() -> task<> {
            std::optional<semaphore> one{1};
            const semaphore::permit held = co_await one->acquire();
            scope all;
            all.spawn(take(*one));
            co_await leat::yield{};
            one.reset();
        };
        owner.run(job());
    }));
    BOOST_TEST(dies_saying("semaphore was destroyed while permits of it are held", [] {
        engine owner{options_of(1)};
        auto job = []() -> task<> {
            std::optional<semaphore> one{1};
            const semaphore::permit held = co_await one->acquire();
            one.reset();
        };
        owner.run(job());
    }));
    BOOST_TEST(dies_saying("awaited before or moved from", [] {
        engine owner{options_of(1)};
        auto job = []() -> task<> {
            semaphore one{1};
            auto acquisition = one.acquire();
            {
                const semaphore::permit held = co_await std::move(acquisition);
            }
            const semaphore::permit again = co_await std::move(acquisition);
        };
        owner.run(job());
    }));
}

BOOST_AUTO_TEST_SUITE_END()
