// Programmer's errors with tasks and scopes: each ends the process with a sentence.
#include "misuse.hpp"

#include "engine_support.hpp"

#include <leat/engine/resume_on.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/with_timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <stdexcept>

BOOST_AUTO_TEST_SUITE(misuse_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::dies_saying;
using leat::test::nap;
using leat::test::options_of;

namespace {

/// Runs make(engine), a task<>, in a child process on an engine of two shards.
template <class Make>
bool dies_in_task(const std::string& words, Make make) {
    return dies_saying(words, [&] {
        engine owner{options_of(2)};
        owner.run(make(owner));
    });
}

task<> join(scope& one) {
    co_await one.join();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_task_is_awaited_once_by_its_owner) {
    BOOST_TEST(dies_in_task("a task was awaited twice", [](engine&) -> task<> {
        task<> job = nap(0ms);
        co_await std::move(job);
        co_await std::move(job);
    }));
    const auto moved_from = [](engine&) -> task<> {
        task<> job = nap(0ms);
        const task<> owner = std::move(job);
        co_await std::move(job);
    };
    BOOST_TEST(dies_in_task("moved from", moved_from));
    BOOST_TEST(dies_saying("moved from", [] {
        task<> job = nap(0ms);
        const task<> owner = std::move(job);
        const std::stop_token token;
        job.set_stop(token);
    }));
}

BOOST_AUTO_TEST_CASE(operations_are_awaited_once) {
    const std::string again = "awaited before or moved from";
    BOOST_TEST(dies_in_task(again, [](engine&) -> task<> {
        leat::sleep pause{0ms};
        co_await std::move(pause);
        co_await std::move(pause);
    }));
    BOOST_TEST(dies_in_task(again, [](engine&) -> task<> {
        leat::sleep pause{0ms};
        leat::sleep owner{std::move(pause)};
        co_await std::move(pause);
        co_await std::move(owner);
    }));
    BOOST_TEST(dies_in_task(again, [](engine&) -> task<> {
        leat::yield others;
        co_await std::move(others);
        co_await std::move(others);
    }));
    BOOST_TEST(dies_in_task(again, [](engine&) -> task<> {
        resume_on there{1};
        co_await std::move(there);
        co_await std::move(there);
    }));
    BOOST_TEST(dies_in_task(again, [](engine&) -> task<> {
        scope none;
        auto end = none.join();
        co_await std::move(end);
        co_await std::move(end);
    }));
}

BOOST_AUTO_TEST_CASE(a_scope_is_joined_before_it_is_destroyed) {
    const std::string unjoined = "destroyed before it was joined";
    BOOST_TEST(dies_in_task(unjoined, [](engine&) -> task<> {
        scope all;
        all.spawn(nap(1h));
        co_return;
    }));
    BOOST_TEST(dies_in_task(unjoined, [](engine&) -> task<> {
        scope all;
        all.spawn(nap(1h));
        throw std::runtime_error("between spawn and join");
        co_return;
    }));
    // Also if the job has ended meanwhile: else it would depend on who is faster.
    BOOST_TEST(dies_in_task(unjoined, [](engine&) -> task<> {
        scope all;
        all.spawn(nap(0ms));
        while (all.running() != 0) co_await leat::sleep(1ms);
    }));
}

BOOST_AUTO_TEST_CASE(a_scope_is_used_on_its_shard) {
    const std::string elsewhere = "used on another shard";
    BOOST_TEST(dies_in_task(elsewhere, [](engine&) -> task<> {
        scope all;
        co_await resume_on(1);
        all.spawn(nap(0ms));
    }));
    BOOST_TEST(dies_in_task(elsewhere, [](engine&) -> task<> {
        scope all;
        co_await resume_on(1);
        co_await all.join();
    }));
    BOOST_TEST(dies_in_task(elsewhere, [](engine&) -> task<> {
        scope all;
        co_await resume_on(1);
        all.request_stop();
    }));
}

BOOST_AUTO_TEST_CASE(a_scope_is_joined_by_one_coroutine_at_once_and_by_none_of_its_own) {
    BOOST_TEST(dies_in_task("joined by two coroutines", [](engine&) -> task<> {
        scope jobs;
        jobs.spawn(nap(1h));
        scope joiners;
        joiners.spawn(join(jobs));
        joiners.spawn(join(jobs));
        co_await joiners.join();
    }));
    BOOST_TEST(dies_in_task("one of its own jobs", [](engine&) -> task<> {
        scope jobs;
        jobs.spawn(join(jobs));
        co_await jobs.join();
    }));
}

BOOST_AUTO_TEST_CASE(what_belongs_to_a_shard_is_used_on_one) {
    const std::string off = "on a thread that runs none";
    BOOST_TEST(dies_saying(off, [] { const scope all; }));
    const auto drive = [](auto make) {
        struct driver {
            struct promise_type {
                driver get_return_object() const noexcept { return {}; }
                std::suspend_never initial_suspend() const noexcept { return {}; }
                std::suspend_never final_suspend() const noexcept { return {}; }
                void return_void() const noexcept {}
                void unhandled_exception() const noexcept {}
            };
        };
        [](auto what) -> driver { co_await what(); }(make);
    };
    BOOST_TEST(dies_saying(off, [&] { drive([] { return leat::sleep(1ms); }); }));
    BOOST_TEST(dies_saying(off, [&] { drive([] { return leat::yield{}; }); }));
    BOOST_TEST(dies_saying(off, [&] { drive([] { return resume_on(0); }); }));
    BOOST_TEST(dies_saying(off, [&] { drive([] { return with_timeout(nap(1ms), 1s); }); }));
}

BOOST_AUTO_TEST_SUITE_END()
