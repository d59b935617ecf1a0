// On which CPUs an engine's threads run, and which signals they take.
#include "engine_support.hpp"
#include "threads.hpp"

#include <leat/engine/engine.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <set>
#include <string>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(engine_threads_test)

using namespace leat;
using leat::test::both_backends;
using leat::test::options_of;

namespace {

task<std::vector<unsigned>> cpus_here() {
    co_return test::cpus_of_this_thread();
}

}  // namespace

BOOST_AUTO_TEST_CASE(pinned_shards_have_cpus_of_their_own) {
    engine_options options = options_of(1);
    options.pin = true;
    options.cpus = {allowed_cpus().back()};
    engine owner{options};
    BOOST_TEST(owner.run(cpus_here()) == options.cpus);
}

BOOST_AUTO_TEST_CASE(fewer_shards_than_cpus_are_pinned_only_where_that_is_asked_for) {
    engine_options options = options_of(1);
    options.pin = true;
    engine one{options};
    const std::vector<unsigned> all = test::cpus_of_this_thread();
    BOOST_TEST(one.options().pin == (all.size() == 1));
    BOOST_TEST(one.run(cpus_here()) == all);
    options.shards = static_cast<unsigned>(all.size());
    options.memory = options.shards * 128 * KiB;
    engine full{options};
    BOOST_TEST(full.options().pin);
    BOOST_TEST(full.options().cpus == all);
    BOOST_TEST(full.run(cpus_here()) == (std::vector<unsigned>{all.front()}));
}

namespace {

task<engine_options> options_resolved_here() {
    engine_options options;
    options.memory = 256 * MiB;
    co_return resolve(options);
}

task<std::vector<unsigned>> cpus_of_an_engine_made_here() {
    engine made{options_of(1)};
    made.start();
    co_return co_await made.spawn_on(0, cpus_here());
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_engine_made_on_a_pinned_shard_has_the_cpus_of_the_process) {
    engine_options options = options_of(1);
    options.pin = true;
    options.cpus = {allowed_cpus().back()};
    engine owner{options};
    const engine_options here = resolve({.memory = 256 * MiB});
    const engine_options there = owner.run(options_resolved_here());
    BOOST_TEST(there.shards == here.shards);
    BOOST_TEST(there.cpus == here.cpus);
    BOOST_TEST(owner.run(cpus_of_an_engine_made_here()) == test::cpus_of_this_thread());
}

BOOST_DATA_TEST_CASE(threads_of_leat_take_no_signals_and_only_shards_are_pinned,
                     both_backends,
                     kind) {
    std::thread([] {}).join();  // a sanitizer starts its own with the first
    const std::set<std::string> before = test::threads_of_this_process();
    engine_options options = options_of(1, kind);
    options.pin = true;
    options.cpus = {allowed_cpus().back()};
    engine owner{options};
    owner.start();
    // A thread blocks all signals for a moment when it begins.
    const auto begins = [&](const std::string& thread) {
        if (before.count(thread) != 0) return false;
        const test::thread_status status{thread};
        return status.name.rfind("iou-", 0) != 0 && status.blocks(SIGSEGV);
    };
    for (int left = 1000; left > 0; --left) {
        const std::set<std::string> now = test::threads_of_this_process();
        if (std::none_of(now.begin(), now.end(), begins)) break;
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    unsigned pinned = 0;
    unsigned made = 0;
    for (const std::string& thread : test::threads_of_this_process()) {
        if (before.count(thread) != 0) continue;
        const test::thread_status status{thread};
        if (status.name.rfind("iou-", 0) == 0) continue;  // the kernel's own
        ++made;
        for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, SIGALRM, SIGPIPE}) {
            BOOST_TEST(status.blocks(signal), status.name << " takes signal " << signal);
        }
        for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE}) BOOST_TEST(!status.blocks(fault));
        pinned += status.cpus == std::to_string(options.cpus[0]) ? 1 : 0;
    }
    BOOST_TEST(made >= (kind == io::backend_kind::thread ? 2u : 1u));
    BOOST_TEST(pinned == (allowed_cpus().size() == 1 ? made : 1u));
}

BOOST_AUTO_TEST_SUITE_END()
