// Engines whose shards a program steps itself, on backends of its own if it likes.
#include "engine_support.hpp"

#include <leat/engine/engine.hpp>
#include <leat/engine/resume_on.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(hosted_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::both_backends;
using leat::test::code_of;
using leat::test::code_thrown_by;
using leat::test::nap;
using leat::test::options_of;

namespace {

engine_options hosted_options(unsigned shards,
                              io::backend_kind kind = io::backend_kind::automatic) {
    engine_options options = options_of(shards, kind);
    options.hosted = true;
    return options;
}

std::size_t threads_of_this_process() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        count += entry.is_directory() ? 1 : 0;
    }
    return count;
}

task<unsigned> visit_all(engine& owner) {
    unsigned visited = 0;
    for (unsigned index = 0; index < owner.shards(); ++index) {
        co_await resume_on(index);
        visited += this_shard().index() == index ? 1 : 0;
        co_await leat::sleep(100us);
    }
    co_return visited;
}

task<std::string> backend_name() {
    co_return this_shard().statistics().backend.name;
}

task<> count_up(std::atomic<int>& counter) {
    ++counter;
    co_return;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_hosted_engine_has_one_shard_by_default_and_pins_nothing) {
    engine_options options;
    options.hosted = true;
    options.memory = 64 * MiB;
    const engine_options resolved = resolve(options);
    BOOST_TEST(resolved.shards == 1u);
    BOOST_TEST(!resolved.pin);
    options.shards = 3;
    options.chunk_size = MiB;
    BOOST_TEST(resolve(options).shards == 3u);
}

BOOST_DATA_TEST_CASE(one_thread_steps_several_shards, both_backends, kind) {
    std::thread([] {}).join();  // a sanitizer starts its own with the first
    const test::leftovers before;
    const std::size_t threads = threads_of_this_process();
    cpu_set_t allowed;
    ::pthread_getaffinity_np(::pthread_self(), sizeof allowed, &allowed);
    {
        engine owner{hosted_options(3, kind)};
        owner.start();
        BOOST_TEST((kind == io::backend_kind::thread || threads_of_this_process() == threads));
        auto visited = owner.spawn_on(1, visit_all(owner));  // waits for its shard to open
        for (unsigned index = 0; index < 3; ++index) owner.at(index).open();
        while (owner.roots() != 0) {
            for (unsigned index = 0; index < 3; ++index) owner.at(index).turn();
        }
        BOOST_TEST(visited.get() == 3u);
        owner.stop();
        bool left = true;
        while (left) {
            left = false;
            for (unsigned index = 0; index < 3; ++index) {
                if (owner.at(index).finished()) continue;
                left = true;
                owner.at(index).turn();
            }
        }
        BOOST_TEST(!owner.join().code);
    }
    cpu_set_t now;
    ::pthread_getaffinity_np(::pthread_self(), sizeof now, &now);
    BOOST_TEST(CPU_EQUAL(&allowed, &now));
    BOOST_TEST(threads_of_this_process() == threads);
    BOOST_TEST(before.none());
}

BOOST_DATA_TEST_CASE(each_shard_may_have_a_thread_of_the_program, both_backends, kind) {
    const test::leftovers before;
    {
        engine owner{hosted_options(2, kind)};
        std::vector<std::thread> hosts;
        for (unsigned index = 0; index < 2; ++index) {
            hosts.emplace_back([&owner, index] {
                owner.at(index).open();
                owner.at(index).run();
            });
        }
        BOOST_TEST(owner.run(visit_all(owner)) == 2u);
        owner.stop();
        BOOST_TEST(!owner.join().code);
        for (std::thread& host : hosts) host.join();
    }
    BOOST_TEST(before.none());
}

BOOST_DATA_TEST_CASE(joining_steps_the_shards_that_the_thread_opened, both_backends, kind) {
    const test::leftovers before;
    for (const unsigned shards : {1u, 3u}) {
        std::atomic<int> counter{0};
        engine owner{hosted_options(shards, kind)};
        for (unsigned index = 0; index < shards; ++index) owner.at(index).open();
        auto visited = owner.spawn_on(0, visit_all(owner));
        std::thread stopper([&] {
            owner.spawn_on(shards - 1, count_up(counter)).get();
            while (owner.roots() != 0) std::this_thread::yield();
            owner.stop();
        });
        BOOST_TEST(!owner.join().code);
        stopper.join();
        BOOST_TEST(counter == 1);
        BOOST_TEST(visited.get() == shards);
        BOOST_TEST(code_thrown_by([&] { owner.at(0).open(); }) == errc::stopped);
    }
    {
        engine owner{hosted_options(2, kind)};  // and so does the destructor
        owner.at(0).open();
        owner.at(1).open();
        owner.spawn_on(1, nap(1h));
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(messages_under_way_when_the_shards_have_ended_arrive) {
    engine owner{hosted_options(2)};
    for (unsigned index = 0; index < 2; ++index) owner.at(index).open();
    owner.stop();
    for (unsigned index = 0; index < 2; ++index) {
        while (!owner.at(index).finished()) owner.at(index).turn();
    }
    int arrived = 0;
    test::call to_the_first{[&] { ++arrived; }};
    test::call to_the_second{[&] {
        ++arrived;
        this_shard().send(0, to_the_first);
    }};
    owner.at(0).send(1, to_the_second);
    owner.join();
    BOOST_TEST(arrived == 2);
}

BOOST_AUTO_TEST_CASE(a_host_that_has_gone_away_is_not_waited_for_for_ever) {
    engine_options options = hosted_options(2);
    options.stop_timeout = 0ms;
    engine owner{options};
    std::thread([&] { owner.at(0).open(); }).join();
    owner.stop();
    const stop_report report = owner.join();
    BOOST_TEST(report.code == errc::timed_out);
    BOOST_TEST(report.owed.find("its host") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_engine_may_be_stopped_while_a_host_opens_its_shard) {
    const test::leftovers before;
    for (const bool stopped_by_another : {false, true}) {
        engine_options options = hosted_options(1);
        std::function<void()> stop;
        options.make_backend = [&](unsigned) {
            if (stopped_by_another) {
                std::thread(stop).join();
            } else {
                stop();
            }
            std::string note;
            return io::make_backend({}, note);
        };
        engine owner{options};
        stop = [&] { owner.stop(); };
        BOOST_TEST(code_thrown_by([&] { owner.at(0).open(); }) == errc::stopped);
        // Joining steps the shards that this thread has opened: that one is none.
        BOOST_TEST(!owner.join().code);
    }
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(tasks_for_shards_that_nobody_opened_are_given_up) {
    std::atomic<int> counter{0};
    for (const bool one_open : {false, true}) {
        engine_options options = hosted_options(2);
        options.stop_timeout = 0ms;
        engine owner{options};
        if (one_open) owner.at(0).open();
        auto never = owner.spawn_on(1, count_up(counter));
        owner.stop();
        const stop_report report = owner.join();
        BOOST_TEST(report.code == errc::timed_out);
        BOOST_TEST(report.owed == "1 tasks have not ended");
        BOOST_TEST(code_thrown_by([&] { never.get(); }) == errc::stopped);
    }
    BOOST_TEST(counter == 0);
}

BOOST_AUTO_TEST_CASE(a_program_may_bring_its_own_backends) {
    std::atomic<unsigned> made{0};
    for (const bool hosted : {false, true}) {
        engine_options options = options_of(3);
        options.hosted = hosted;
        options.make_backend = [&](unsigned shard) {
            made += 1u << (8 * shard);
            std::string note;
            io::backend_options how;
            how.kind = io::backend_kind::thread;
            return io::make_backend(how, note);
        };
        engine owner{options};
        for (unsigned index = 0; hosted && index < 3; ++index) owner.at(index).open();
        auto named = owner.spawn_on(2, backend_name());
        if (hosted) {
            while (owner.roots() != 0) owner.at(2).turn();
        }
        BOOST_TEST(named.get() == "thread");
    }
    BOOST_TEST(made == 0x020202u);
    engine_options options = hosted_options(1);
    options.make_backend = [](unsigned) -> std::unique_ptr<io::backend> {
        throw std::runtime_error("none today");
    };
    engine owner{options};
    BOOST_CHECK_THROW(owner.at(0).open(), std::runtime_error);
    owner.stop();
    BOOST_TEST(!owner.join().code);
}

BOOST_AUTO_TEST_SUITE_END()
