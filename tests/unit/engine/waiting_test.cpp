// Tasks that wait can be seen.
#include "engine_support.hpp"

#include <leat/engine/resume_on.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/task.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

BOOST_AUTO_TEST_SUITE(waiting_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::nap;
using leat::test::options_of;

namespace {

/// Asks until `count` tasks wait.
std::vector<waiting_task> ask_until(engine& owner, std::size_t count) {
    std::vector<waiting_task> all = owner.waiting(100, 10s);
    while (all.size() != count) all = owner.waiting(100, 10s);
    return all;
}

task<> named_nap(const char* literal) {
    task<> inner = nap(1h);
    inner.set_name(literal);
    co_await std::move(inner);
}

task<> join_two() {
    task_name name{"connection 7"};
    co_await name;
    scope both;
    both.spawn(named_nap("first"));
    both.spawn(named_nap("second"));
    co_await both.join();
}

}  // namespace

BOOST_AUTO_TEST_CASE(waits_are_told_with_name_shard_age_and_what_they_await) {
    engine owner{options_of(2)};
    owner.start();
    BOOST_TEST(owner.waiting().empty());
    auto running = owner.spawn_on(1, join_two());
    const std::vector<waiting_task> all = ask_until(owner, 3);
    BOOST_TEST(all[0].name == "connection 7");
    BOOST_TEST((all[0].awaits.doing == activity::join));
    BOOST_TEST(all[1].name == "first");
    BOOST_TEST((all[1].awaits.doing == activity::sleep));
    BOOST_TEST(all[2].name == "second");
    for (const waiting_task& one : all) {
        BOOST_TEST(one.shard == 1u);
        BOOST_TEST(!one.silent);
        BOOST_TEST(one.age.count() >= 0);
    }
    BOOST_TEST(owner.waiting(1, 10s).size() == 1u);
    BOOST_TEST(owner.waiting(0, 10s).empty());
    const auto before = owner.waiting(1, 10s).front().age;
    auto age = before;
    while (age <= before) age = owner.waiting(1, 10s).front().age;
    owner.stop();
    BOOST_CHECK_THROW(running.get(), system_error);
    owner.join();
    BOOST_TEST(owner.waiting().empty());
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_task_on_another_shard_is_told_too) {
    engine owner{options_of(2)};
    auto outer = [&]() -> task<> {
        auto there = owner.spawn_on(1, named_nap("inner"));
        co_await std::move(there);
    };
    task<> job = outer();
    job.set_name("outer");
    auto running = owner.spawn_on(0, std::move(job));
    for (const waiting_task& one : ask_until(owner, 2)) {
        const bool inner = one.name == "inner";
        BOOST_TEST((inner || one.name == "outer"));
        BOOST_TEST(one.shard == (inner ? 1u : 0u));
        BOOST_TEST((one.awaits.doing == (inner ? activity::sleep : activity::join)));
    }
    owner.stop();
    BOOST_CHECK_THROW(running.get(), system_error);
}

BOOST_AUTO_TEST_CASE(waits_of_equal_age_stand_by_shard_and_then_as_they_began) {
    std::vector<waiting_task> all;
    for (unsigned shard : {2u, 0u, 1u}) {
        // More than a sort without regard to order leaves alone.
        for (int i = 0; i < 40; ++i)
            all.push_back({.shard = shard, .age = 5ms, .name = std::to_string(i)});
    }
    all.push_back({.shard = 3, .age = 9ms});
    all.push_back({.shard = 4, .age = 1ms, .silent = true});
    detail::sort_oldest_first(all);
    BOOST_TEST(all[0].shard == 4u);
    BOOST_TEST(all[1].shard == 3u);
    for (std::size_t i = 0; i < 120; ++i) {
        BOOST_TEST(all[i + 2].shard == i / 40);
        BOOST_TEST(all[i + 2].name == std::to_string(i % 40));
    }
}

BOOST_AUTO_TEST_CASE(what_has_ended_waits_no_more) {
    engine owner{options_of(1)};
    owner.run(nap(0ms));
    BOOST_TEST(owner.waiting(100, 10s).empty());
}

BOOST_AUTO_TEST_CASE(a_name_is_inherited_changed_and_ends_with_its_object) {
    engine owner{options_of(1)};
    std::atomic<int> step{0};
    auto job = [](std::atomic<int>& at) -> task<> {
        co_await leat::yield{};
        {
            task_name name{"a"};
            co_await name;
            name.set(std::string(100, 'x'));
            at = 1;
            while (at == 1) co_await leat::sleep(100us);
        }
        at = 3;
        while (at == 3) co_await leat::sleep(100us);
    };
    task<> outer = job(step);
    outer.set_name("outer");
    auto running = owner.spawn_on(0, std::move(outer));
    while (step != 1) std::this_thread::yield();
    BOOST_TEST(ask_until(owner, 1).front().name == std::string(63, 'x'));
    step = 2;
    while (step != 3) std::this_thread::yield();
    BOOST_TEST(ask_until(owner, 1).front().name == "outer");
    step = 4;
    running.get();
}

BOOST_AUTO_TEST_CASE(a_shard_that_does_not_answer_is_told_and_its_late_answer_does_no_harm) {
    engine owner{options_of(2)};
    std::atomic<bool> blocked{false};
    std::atomic<bool> release{false};
    auto block = [](std::atomic<bool>& begun, std::atomic<bool>& go) -> task<> {
        begun = true;
        while (!go) std::this_thread::yield();
        co_return;
    };
    auto running = owner.spawn_on(1, block(blocked, release));
    while (!blocked) std::this_thread::yield();
    const std::vector<waiting_task> all = owner.waiting(20, 20ms);
    BOOST_REQUIRE(all.size() == 1u);
    BOOST_TEST(all[0].silent);
    BOOST_TEST(all[0].shard == 1u);
    BOOST_TEST(to_string(all[0]) == "shard 1 has not answered for 20 ms");
    const auto told = owner.statistics(20ms);
    BOOST_TEST(told[0].has_value());
    BOOST_TEST(!told[1].has_value());
    release = true;
    running.get();
    BOOST_TEST(owner.waiting(20, 10s).empty());
}

BOOST_AUTO_TEST_CASE(a_stop_that_gives_up_tells_who_waits) {
    engine_options options = options_of(2);
    options.stop_timeout = 20ms;
    std::string said;
    options.on_event = [&](const event& told) { said += told.text; };
    auto stubborn = []() -> task<> {
        for (;;) {
            std::stop_token none;
            task<> inner = nap(1h);
            inner.set_stop(none);
            inner.set_name("stubborn");
            co_await std::move(inner);
        }
    };
    {
        engine owner{std::move(options)};
        owner.start();
        auto running = owner.spawn_on(1, stubborn());
        ask_until(owner, 1);
        owner.stop();
        const stop_report report = owner.join();
        BOOST_TEST((report.code == errc::timed_out));
        BOOST_REQUIRE(report.waiting.size() == 1u);
        BOOST_TEST(report.waiting[0].name == "stubborn");
        BOOST_TEST(report.waiting[0].shard == 1u);
    }
    BOOST_TEST(said.find("first shard 1, \"stubborn\": sleep, for ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_line_names_it_all) {
    waiting_task one{.shard = 2, .age = 1250ms, .name = "10.0.0.7:4711"};
    one.awaits.doing = activity::get_chunk;
    one.awaits.set_name("film.mkv");
    one.awaits.size = 4096;
    BOOST_TEST(to_string(one) ==
               "shard 2, \"10.0.0.7:4711\": get_chunk \"film.mkv\" offset 0 size 4096, "
               "for 1250 ms");
}

BOOST_AUTO_TEST_CASE(asking_while_the_engine_ends_is_sound) {
    for (int i = 0; i < 20; ++i) {
        engine owner{options_of(2)};
        owner.start();
        std::atomic<bool> over{false};
        std::thread asker([&] {
            while (!over) {
                static_cast<void>(owner.waiting(5, 1ms));
                static_cast<void>(owner.statistics(1ms));
            }
        });
        for (int k = 0; k < 20; ++k) owner.run(nap(10us));
        owner.stop();
        owner.join();
        over = true;
        asker.join();
    }
}

BOOST_AUTO_TEST_CASE(statistics_can_be_read_while_shards_run) {
    engine owner{options_of(2)};
    BOOST_TEST(!owner.statistics()[0].has_value());
    owner.start();
    auto busy = []() -> task<> {
        for (int i = 0; i < 2000; ++i) {
            co_await resume_on(1 - this_shard().index());
            co_await leat::sleep(0ns);
        }
    };
    auto running = owner.spawn_on(0, busy());
    std::uint64_t seen = 0;
    for (int i = 0; i < 50; ++i) {
        const auto all = owner.statistics(10s);
        BOOST_REQUIRE(all.size() == 2u);
        BOOST_REQUIRE(all[0].has_value());
        BOOST_TEST(all[0]->turns >= seen);
        BOOST_TEST(!all[0]->backend.name.empty());
        seen = all[0]->turns;
    }
    running.get();
    const auto last = owner.statistics(10s);
    BOOST_TEST(last[1]->messages_received >= 1000u);
}

BOOST_AUTO_TEST_SUITE_END()
