// Functions on threads that are no shards.
#include "engine_support.hpp"
#include "misuse.hpp"

#include <leat/engine/offload.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/with_timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(offload_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::code_of;
using leat::test::code_thrown_by;
using leat::test::dies_saying;
using leat::test::options_of;

namespace {

/// Holds threads of a pool until it is opened.
struct barrier {
    std::atomic<int> waiting{0};
    std::atomic<bool> open{false};
    void pass() {
        ++waiting;
        open.wait(false);
    }
    void let_go() {
        open = true;
        open.notify_all();
    }
};

task<> block(offload_pool& pool, barrier& at) {
    auto wait = [&] { at.pass(); };
    co_await offload(pool, wait);
}

task<> do_nothing(offload_pool& pool, std::atomic<int>& begun) {
    auto count = [&] { ++begun; };
    co_await offload(pool, count);
}

void await(const std::atomic<int>& count, int wanted) {
    while (count < wanted) std::this_thread::yield();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_function_runs_elsewhere_and_its_task_comes_back_to_its_shard) {
    offload_pool pool{{.threads = 2}};
    engine owner{options_of(3)};
    auto job = [&]() -> task<bool> {
        const std::thread::id here = std::this_thread::get_id();
        auto work = [&] {
            const bool elsewhere = std::this_thread::get_id() != here && !shard::current();
            return std::make_unique<bool>(elsewhere);
        };
        const std::unique_ptr<bool> elsewhere = co_await offload(pool, work);
        co_return *elsewhere&& std::this_thread::get_id() == here;
    };
    for (unsigned index = 0; index < 3; ++index) {
        BOOST_TEST(owner.spawn_on(index, job()).get());
    }
}

BOOST_AUTO_TEST_CASE(many_at_once_from_every_shard) {
    const test::leftovers before;
    std::atomic<int> begun{0};
    {
        offload_pool pool{{.threads = 3}};
        engine owner{options_of(2)};
        auto loop = [&]() -> task<> {
            for (int i = 0; i < 300; ++i) co_await do_nothing(pool, begun);
        };
        auto job = [&](unsigned) -> task<> {
            scope all;
            for (int i = 0; i < 5; ++i) all.spawn(loop());
            co_await all.join();
        };
        auto everywhere = [&]() -> task<> { co_await owner.run_on_each(job); };
        owner.run(everywhere());
    }
    BOOST_TEST(begun == 3000);
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_CASE(what_it_throws_comes_back_as_it_is) {
    offload_pool pool{{.threads = 1}};
    engine owner{options_of(1)};
    auto job = [&]() -> task<std::string> {
        auto work = []() -> int { throw std::logic_error("no"); };
        std::string what;
        try {
            static_cast<void>(co_await offload(pool, work));
        } catch (const std::logic_error& thrown) {
            what = thrown.what();
        }
        co_return what;
    };
    BOOST_TEST(owner.run(job()) == "no");
}

BOOST_AUTO_TEST_CASE(a_stop_takes_back_what_has_not_begun_and_waits_for_what_has) {
    offload_pool pool{{.threads = 1}};
    engine owner{options_of(1)};
    barrier at;
    std::atomic<int> begun{0};
    auto job = [&]() -> task<boost::system::error_code> {
        task<> limited = with_timeout(do_nothing(pool, begun), 1ms);
        co_return co_await code_of(std::move(limited));
    };
    auto blocked = owner.spawn_on(0, block(pool, at));
    await(at.waiting, 1);
    BOOST_TEST(owner.run(job()) == errc::timed_out);
    BOOST_TEST(pool.queued() == 0u);
    BOOST_TEST((owner.waiting(1, 10s).at(0).awaits.doing == activity::offload));
    auto queued = owner.spawn_on(0, code_of(do_nothing(pool, begun)));
    while (pool.queued() == 0) std::this_thread::yield();
    owner.stop();
    BOOST_TEST(queued.get() == errc::stopped);
    at.let_go();
    blocked.get();  // it had begun, and is no error
    BOOST_TEST(begun == 0);
}

BOOST_AUTO_TEST_CASE(a_full_queue_is_told) {
    barrier at;
    std::atomic<int> begun{0};
    engine owner{options_of(1)};
    offload_pool pool{{.threads = 1, .max_queue = 1}};
    auto blocked = owner.spawn_on(0, block(pool, at));
    await(at.waiting, 1);
    auto queued = owner.spawn_on(0, do_nothing(pool, begun));
    while (pool.queued() == 0) std::this_thread::yield();
    BOOST_TEST(owner.run(code_of(do_nothing(pool, begun))).value() == EAGAIN);
    at.let_go();
    blocked.get();
    queued.get();
    BOOST_TEST(begun == 1);
}

BOOST_AUTO_TEST_CASE(the_pools_end_waits_for_what_waits_in_it) {
    barrier at;
    std::atomic<int> begun{0};
    engine owner{options_of(1)};
    auto pool = std::make_unique<offload_pool>(offload_options{.threads = 1});
    auto blocked = owner.spawn_on(0, block(*pool, at));
    await(at.waiting, 1);
    auto queued = owner.spawn_on(0, do_nothing(*pool, begun));
    while (pool->queued() == 0) std::this_thread::yield();
    at.let_go();
    pool.reset();
    BOOST_TEST(begun == 1);
    blocked.get();
    queued.get();
}

BOOST_AUTO_TEST_CASE(an_engine_that_gives_up_leaves_the_task_behind) {
    barrier at;
    offload_pool pool{{.threads = 1}};
    {
        engine_options options = options_of(1);
        options.stop_timeout = 10ms;
        engine owner{std::move(options)};
        auto blocked = owner.spawn_on(0, block(pool, at));
        await(at.waiting, 1);
        owner.stop();
        const stop_report report = owner.join();
        BOOST_TEST((report.code == errc::timed_out));
        BOOST_TEST(report.waiting.size() == 1u);
    }
    at.let_go();  // what ends now finds its memory, and nobody to tell
}

BOOST_AUTO_TEST_CASE(its_threads_take_no_signals) {
    offload_pool pool{{.threads = 1}};
    engine owner{options_of(1)};
    auto job = [&]() -> task<bool> {
        auto blocked = [] {
            ::sigset_t mask;
            ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
            return ::sigismember(&mask, SIGTERM) == 1 && ::sigismember(&mask, SIGINT) == 1;
        };
        co_return co_await offload(pool, blocked);
    };
    BOOST_TEST(owner.run(job()));
}

BOOST_AUTO_TEST_CASE(mistakes_are_told) {
    BOOST_TEST(code_thrown_by([] { offload_pool none{{.threads = 0}}; }) == errc::invalid_option);
    BOOST_TEST(code_thrown_by([] { offload_pool none{{.threads = 1, .max_queue = 0}}; }) ==
               errc::invalid_option);
    BOOST_TEST(dies_saying("engine::waiting() blocks", [] {
        engine owner{options_of(1)};
        auto job = [&]() -> task<> {
            static_cast<void>(owner.waiting());
            co_return;
        };
        owner.run(job());
    }));
    BOOST_TEST(dies_saying("engine::statistics() blocks", [] {
        engine owner{options_of(1)};
        auto job = [&]() -> task<> {
            static_cast<void>(owner.statistics());
            co_return;
        };
        owner.run(job());
    }));
}

BOOST_AUTO_TEST_SUITE_END()
