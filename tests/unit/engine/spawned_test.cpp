// Tasks on other shards, and those who await them.
#include "engine_support.hpp"

#include <leat/engine/resume_on.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/spawned.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

BOOST_AUTO_TEST_SUITE(spawned_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::code_of;
using leat::test::options_of;

namespace {

task<unsigned> where_am_i() {
    co_return this_shard().index();
}

task<std::unique_ptr<int>> boxed(int value) {
    co_await leat::yield{};
    co_return std::make_unique<int>(value);
}

task<> fail_oddly() {
    co_await leat::yield{};
    throw std::logic_error("odd");
}

task<> fail_plainly() {
    co_await leat::yield{};
    throw system_error({errc::closed, {.doing = activity::read}});
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_foreign_thread_gets_values_and_exceptions_from_any_shard) {
    const test::leftovers before;
    {
        engine owner{options_of(3)};
        for (unsigned shard = 0; shard < 3; ++shard) {
            BOOST_TEST(owner.spawn_on(shard, where_am_i()).get() == shard);
        }
        const std::unique_ptr<int> got = owner.spawn_on(2, boxed(5)).get();
        BOOST_TEST(*got == 5);
        BOOST_CHECK_THROW(owner.spawn_on(1, fail_oddly()).get(), std::logic_error);
        BOOST_CHECK_THROW(owner.run(fail_plainly()), system_error);
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(a_shard_awaits_tasks_on_others_and_stays_where_it_is) {
    engine owner{options_of(3)};
    auto job = [](engine& on) -> task<int> {
        int right = 0;
        for (int round = 0; round < 100; ++round) {
            for (unsigned target = 0; target < 3; ++target) {
                const unsigned ran = co_await on.spawn_on(target, where_am_i());
                if (ran == target && this_shard().index() == 1) ++right;
            }
        }
        spawned<std::unique_ptr<int>> early = on.spawn_on(2, boxed(9));
        co_await leat::sleep(1ms);  // likely complete before it is awaited
        const std::unique_ptr<int> got = co_await std::move(early);
        co_return right + *got;
    };
    BOOST_TEST(owner.spawn_on(1, job(owner)).get() == 309);
}

BOOST_AUTO_TEST_CASE(between_shards_travel_codes_not_exceptions) {
    engine owner{options_of(2)};
    auto odd = [](engine& on) -> task<> { co_await on.spawn_on(1, fail_oddly()); };
    auto plain = [](engine& on) -> task<> { co_await on.spawn_on(1, fail_plainly()); };
    BOOST_TEST(owner.run(code_of(odd(owner))) == errc::unhandled_exception);
    BOOST_TEST(owner.run(code_of(plain(owner))) == errc::closed);
}

BOOST_AUTO_TEST_CASE(an_error_without_a_handle_goes_to_the_event_hook) {
    std::mutex mutex;
    std::vector<std::string> said;
    engine_options options = options_of(2);
    options.on_event = [&](const event& one) {
        const std::lock_guard lock{mutex};
        said.push_back(one.text);
    };
    {
        engine owner{options};
        auto patient = [](std::atomic<bool>& dropped) -> task<> {
            while (!dropped) {
                co_await leat::sleep(1ms);
            }
            throw system_error({errc::closed, {.doing = activity::read}});
        };
        std::atomic<bool> dropped{false};
        {
            const auto handle = owner.spawn_on(1, patient(dropped));
        }
        dropped = true;
        while (owner.roots() != 0) std::this_thread::sleep_for(1ms);
    }
    BOOST_TEST_REQUIRE(said.size() == 1u);
    BOOST_TEST(said[0].find("read: the file is not open") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(resume_on_moves_a_coroutine_there_and_back) {
    engine owner{options_of(4)};
    auto traveller = [](unsigned seed) -> task<int> {
        int wrong = 0;
        unsigned at = seed;
        for (int i = 0; i < 2000; ++i) {
            at = (at * 7 + 3) % 4;
            co_await resume_on(at);
            wrong += this_shard().index() != at;
        }
        co_return wrong;
    };
    std::vector<spawned<int>> running;
    for (unsigned i = 0; i < 40; ++i) running.push_back(owner.spawn_on(i % 4, traveller(i)));
    int wrong = 0;
    for (auto& one : running) wrong += one.get();
    BOOST_TEST(wrong == 0);
}

namespace {

/// Ends on another shard than it began on, with a value, nothing, or an exception.
task<std::unique_ptr<int>> ends_on(unsigned target, int value) {
    co_await resume_on(target);
    co_return std::make_unique<int>(value);
}
task<> fails_on(unsigned target) {
    co_await resume_on(target);
    throw std::logic_error("odd");
}
task<int> nested_on(unsigned first, unsigned second) {
    co_await resume_on(first);
    const std::unique_ptr<int> got = co_await ends_on(second, 1);
    co_return *got + (this_shard().index() == first ? 1 : 0);
}

task<int> tours(unsigned home, unsigned rounds) {
    int right = 0;
    for (unsigned i = 0; i < rounds; ++i) {
        const std::unique_ptr<int> got = co_await ends_on(i % 4, 1);
        right += this_shard().index() == home ? *got : 0;
        try {
            co_await fails_on(i % 4);
        } catch (const std::logic_error&) {  // the exception itself, not a code
            right += this_shard().index() == home ? 1 : 0;
        }
        const int nested = co_await nested_on(i % 4, (i + 1 + i / 4) % 4);
        right += this_shard().index() == home ? nested : 0;
    }
    co_return right;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_awaiter_goes_on_where_it_was_however_far_the_task_has_moved) {
    const test::leftovers before;
    {
        engine owner{options_of(4)};
        std::vector<spawned<int>> running;
        for (unsigned i = 0; i < 40; ++i)
            running.push_back(owner.spawn_on(i % 4, tours(i % 4, 200)));
        for (auto& one : running) BOOST_TEST(one.get() == 800);
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(a_task_that_moved_comes_home_while_the_engine_stops) {
    const test::leftovers before;
    {
        engine owner{options_of(2)};
        auto away = [](std::atomic<bool>& there) -> task<> {
            co_await resume_on(1);
            there = true;
            co_await leat::sleep(1h);
        };
        auto job = [&](std::atomic<bool>& there) -> task<unsigned> {
            const auto code = co_await code_of(away(there));
            co_return code == errc::stopped ? this_shard().index() : 99;
        };
        std::atomic<bool> there{false};
        auto running = owner.spawn_on(0, job(there));
        while (!there) std::this_thread::yield();
        owner.stop();
        BOOST_TEST(running.get() == 0u);
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(yield_lets_other_work_go_first) {
    engine owner{options_of(1)};
    auto job = []() -> task<std::vector<int>> {
        std::vector<int> order;
        test::call other{[&] { order.push_back(1); }};
        this_shard().schedule(other);
        order.push_back(0);
        co_await leat::yield{};
        order.push_back(2);
        co_return order;
    };
    BOOST_TEST(owner.run(job()) == (std::vector<int>{0, 1, 2}));
}

BOOST_AUTO_TEST_CASE(a_task_of_another_engine_is_awaited_like_any_other) {
    engine one{options_of(2)};
    engine other{options_of(3)};
    other.start();
    auto job = [](engine& there) -> task<int> {
        int right = 0;
        shard* const mine = shard::current();
        for (int i = 0; i < 200; ++i) {
            const unsigned ran = co_await there.spawn_on(2, where_am_i());
            if (ran == 2 && shard::current() == mine) ++right;
        }
        co_return right;
    };
    BOOST_TEST(one.spawn_on(1, job(other)).get() == 200);
}

BOOST_AUTO_TEST_SUITE_END()
