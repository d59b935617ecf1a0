// Start, run, stop and join.
#include "engine_support.hpp"

#include <leat/engine/scope.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <sched.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(engine_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::both_backends;
using leat::test::code_of;
using leat::test::code_thrown_by;
using leat::test::options_of;

namespace {

task<int> plus_one(int value) {
    co_await leat::yield{};
    co_return value + 1;
}

task<> nothing() {
    co_return;
}

task<> nap(std::chrono::nanoseconds time) {
    co_await leat::sleep(time);
}

/// Sleeps for an hour; counts how often that ended and how often by errc::stopped.
task<> sleeper(std::atomic<int>& begun, std::atomic<int>& ended, std::atomic<int>& stopped) {
    ++begun;
    const boost::system::error_code code = co_await code_of(nap(1h));
    ++ended;
    if (code == errc::stopped) ++stopped;
}

task<> stop_here(engine& owner) {
    owner.stop();
    co_return;
}

void wait_for(const std::atomic<int>& counter, int value) {
    while (counter < value) std::this_thread::yield();
}

}  // namespace

BOOST_DATA_TEST_CASE(it_runs_tasks_and_leaves_nothing_behind, both_backends, kind) {
    const test::leftovers before;
    for (const unsigned shards : {1u, 2u, 5u}) {
        engine owner{options_of(shards, kind)};
        BOOST_TEST(owner.run(plus_one(1)) == 2);
        BOOST_CHECK_THROW(owner.run([]() -> task<> {
            throw std::logic_error("no");
            co_return;
        }()),
                          std::logic_error);
        BOOST_TEST(owner.roots() == 0);
        owner.start();  // no effect
        owner.stop();
        const stop_report report = owner.join();
        BOOST_TEST(!report.code);
        BOOST_TEST(report.owed == "");
        BOOST_TEST(!owner.join().code);
        BOOST_TEST(owner.at(0).statistics().messages_received == 0u);
        BOOST_TEST(owner.at(0).statistics().turns > 1u);
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(after_a_stop_nothing_starts) {
    engine never{options_of(2)};
    BOOST_TEST(!never.stopping());
    never.stop();
    BOOST_TEST(never.stopping());
    BOOST_TEST(code_thrown_by([&] { never.start(); }) == errc::stopped);
    BOOST_TEST(code_thrown_by([&] { never.run(nothing()); }) == errc::stopped);
    BOOST_TEST(!never.join().code);
    engine owner{options_of(2)};
    owner.run(nothing());
    owner.stop();
    owner.join();
    BOOST_TEST(code_thrown_by([&] { owner.run(nothing()); }) == errc::stopped);
    BOOST_TEST(code_thrown_by([&] { owner.spawn_on(1, nothing()); }) == errc::stopped);
}

BOOST_DATA_TEST_CASE(stopping_resumes_every_sleeper_exactly_once, both_backends, kind) {
    const test::leftovers before;
    for (const bool from_shard : {false, true}) {
        std::atomic<int> begun{0};
        std::atomic<int> ended{0};
        std::atomic<int> stopped{0};
        {
            engine owner{options_of(3, kind)};
            constexpr int count = 300;
            for (int i = 0; i < count; ++i) {
                owner.spawn_on(static_cast<unsigned>(i % 3), sleeper(begun, ended, stopped));
            }
            wait_for(begun, count);
            if (from_shard) {
                owner.spawn_on(1, stop_here(owner)).get();
            } else {
                owner.stop();
            }
            BOOST_TEST(!owner.join().code);
        }
        BOOST_TEST(ended == begun);
        BOOST_TEST(stopped == begun);
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(a_stop_that_races_with_the_start_is_not_lost) {
    for (int i = 0; i < 40; ++i) {
        engine owner{options_of(2)};
        std::thread stopper([&] {
            for (int spin = 0; spin < i * 500; ++spin)
                std::atomic_signal_fence(std::memory_order_seq_cst);
            owner.stop();
        });
        const boost::system::error_code code = code_thrown_by([&] { owner.start(); });
        BOOST_TEST((!code || code == errc::stopped));
        stopper.join();
        BOOST_TEST(owner.join().owed == "");
    }
}

BOOST_AUTO_TEST_CASE(tasks_start_while_another_thread_waits_in_join) {
    engine owner{options_of(2)};
    owner.start();
    std::atomic<bool> joined{false};
    std::thread waiting([&] {
        owner.join();
        joined = true;
    });
    for (int i = 0; i < 50; ++i) BOOST_TEST(owner.run(plus_one(i)) == i + 1);
    BOOST_TEST(!joined);
    owner.stop();
    waiting.join();
}

BOOST_AUTO_TEST_CASE(the_first_stop_sets_the_deadline) {
    engine owner{options_of(1)};
    owner.start();
    owner.stop();
    const io::time_point deadline = owner.stop_deadline();
    std::this_thread::sleep_for(1ms);
    owner.stop();
    BOOST_TEST((owner.stop_deadline() == deadline));
}

BOOST_AUTO_TEST_CASE(spawning_races_with_stopping_and_every_task_has_an_outcome) {
    const test::leftovers before;
    for (int round = 0; round < 30; ++round) {
        std::atomic<int> ran{0};
        int values = 0;
        int refused = 0;
        engine owner{options_of(2)};
        owner.start();
        auto job = [](std::atomic<int>& count) -> task<> {
            ++count;
            co_return;
        };
        std::thread foreign([&] {
            for (unsigned i = 0; refused == 0; ++i) {
                const auto code = code_thrown_by([&] { owner.spawn_on(i % 2, job(ran)).get(); });
                code ? ++refused : ++values;
            }
        });
        wait_for(ran, round);
        owner.spawn_on(0, stop_here(owner));
        BOOST_TEST(!owner.join().code);
        foreign.join();
        BOOST_TEST(values == ran);
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(run_on_each_visits_every_shard_and_gives_the_first_error) {
    engine owner{options_of(4)};
    std::mutex mutex;
    std::set<unsigned> visited;
    auto visit = [&](unsigned index) -> task<> {
        co_await leat::yield{};
        const std::lock_guard lock{mutex};
        if (this_shard().index() == index) visited.insert(index);
    };
    owner.run(owner.run_on_each(visit));
    BOOST_TEST(visited.size() == 4u);
    std::atomic<int> finished{0};
    auto fail = [&](unsigned index) -> task<> {
        co_await leat::sleep(1ms);
        ++finished;
        if (index >= 2) throw system_error({errc::closed, {}});
    };
    BOOST_TEST(owner.run(code_of(owner.run_on_each(fail))) == errc::closed);
    BOOST_TEST(finished == 4);
}

BOOST_AUTO_TEST_CASE(run_on_each_waits_for_what_it_started_if_the_function_throws) {
    engine owner{options_of(3)};
    std::atomic<int> finished{0};
    auto slow = [](std::atomic<int>& count) -> task<> {
        co_await leat::sleep(10ms);
        ++count;
    };
    auto throwing = [&](unsigned index) -> task<> {
        if (index == 2) throw system_error({errc::closed, {}});
        return slow(finished);
    };
    auto job = [&]() -> task<int> {
        const auto code = co_await code_of(owner.run_on_each(throwing));
        co_return code == errc::closed ? finished.load() : -1;
    };
    BOOST_TEST(owner.run(job()) == 2);
}

BOOST_AUTO_TEST_CASE(more_shards_than_cpus_share_them) {
    engine owner{options_of(9)};
    int sum = 0;
    for (unsigned shard = 0; shard < 9; ++shard) sum += owner.spawn_on(shard, plus_one(0)).get();
    BOOST_TEST(sum == 9);
}

BOOST_AUTO_TEST_CASE(services_are_made_once_and_closed_after_the_shards) {
    struct counting : detail::service {
        explicit counting(int& closed_) : closed(closed_) {}
        std::size_t close() noexcept override {
            ++closed;
            return 3;
        }
        int& closed;
    };
    int made = 0;
    int closed = 0;
    engine owner{options_of(1)};
    auto make = [&](engine&) {
        ++made;
        return std::make_shared<counting>(closed);
    };
    const auto first = owner.service_of<counting>(make);
    const auto second = owner.service_of<counting>(make);
    BOOST_TEST(first == second);
    BOOST_TEST(made == 1);
    owner.run(nothing());
    BOOST_TEST(closed == 0);
    owner.stop();
    BOOST_TEST(owner.join().held == 3u);
    BOOST_TEST(owner.join().held == 3u);
    BOOST_TEST(closed == 1);
}

BOOST_AUTO_TEST_CASE(an_event_is_reported_once_and_a_listener_that_throws_does_no_harm) {
    std::vector<std::string> said;
    engine_options options = options_of(1);
    options.on_event = [&](const event& one) {
        said.push_back(one.text);
        throw std::runtime_error("a bad listener");
    };
    engine owner{options};
    owner.report_once(event::level::information, "one");
    owner.report_once(event::level::information, "one");
    owner.report_once(event::level::information, "two");
    owner.report(event::level::information, "two");
    BOOST_TEST(said == (std::vector<std::string>{"one", "two", "two"}));
}

BOOST_AUTO_TEST_SUITE_END()
