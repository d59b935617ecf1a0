// Handlers, posts and tasks when the engine ends.
#include "asio_support.hpp"
#include "witness.hpp"

#include <leat/engine/asio/shard_timer.hpp>
#include <leat/engine/sleep.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <functional>
#include <future>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(asio_engine_end_test)

using namespace std::chrono_literals;
using namespace leat;
using namespace leat::test;

BOOST_AUTO_TEST_SUITE(asio_engine_end)

BOOST_AUTO_TEST_CASE(posts_race_with_the_end_of_the_engine) {
    constexpr int rounds = 2000;
    constexpr int posts = 100;  // of each thread
    int run = 0;
    int dropped = 0;
    for (int round = 0; round < rounds; ++round) {
        const leftovers before;
        tally counts;
        std::optional<engine> running;
        engine& owner = running.emplace(options_of(1, io::backend_kind::thread));
        owner.start();
        std::atomic<int> posted{0};
        auto post_all = [&] {
            const shard_executor executor(owner.at(0));
            const auto strand = asio::make_strand(executor);
            for (int i = 0; i < posts; ++i) {
                if (i % 10 == 0) {
                    asio::post(strand, witness(counts));
                } else {
                    asio::post(executor, witness(counts));
                }
                ++posted;
            }
        };
        std::thread first(post_all);
        std::thread second(post_all);
        while (posted < round % (posts + posts / 2)) std::this_thread::yield();
        owner.stop();
        const stop_report report = owner.join();
        first.join();
        second.join();
        BOOST_REQUIRE_MESSAGE(!report.code, report.owed);
        running.reset();
        BOOST_REQUIRE(before.none());
        // Functions that wait in a strand when the shard ends go with the engine's contexts.
        run += counts.called;
        dropped += counts.dropped;
        BOOST_REQUIRE(counts.called + counts.dropped == 2 * posts);
    }
    BOOST_TEST(run > 0);
    BOOST_TEST(dropped > 0);
}

namespace {

// Calls arrange(executor) on a shard, which is to have the engine stopped from a handler, and tells
// what is wrong at the end.
template <class Arrange>
std::string stopped_inside(io::backend_kind kind, Arrange arrange) {
    const leftovers before;
    std::string wrong;
    {
        engine owner{options_of(2, kind)};
        owner.start();
        tally counts;
        std::promise<void> stopped;
        const shard_executor executor(owner.at(1));
        std::function<void()> stop = [&] {
            asio::post(executor, witness(counts));
            asio::post(shard_executor(owner.at(0)), witness(counts));
            owner.stop();
            asio::post(executor, witness(counts));
            asio::dispatch(executor, witness(counts));
            stopped.set_value();
        };
        asio::post(executor, [&] { arrange(executor, stop); });
        stopped.get_future().wait();
        const stop_report report = owner.join();
        if (report.code) wrong = "owed: " + report.owed;
        if (counts.called != 4) wrong += " run: " + std::to_string(counts.called);
        if (counts.dropped != 0) wrong += " dropped: " + std::to_string(counts.dropped);
    }
    if (!before.none()) wrong += " something is left";
    return wrong;
}

}  // namespace

BOOST_DATA_TEST_CASE(a_handler_stops_the_engine, both_backends, kind) {
    auto posted = [](const shard_executor& executor, auto& stop) { asio::post(executor, stop); };
    BOOST_TEST(stopped_inside(kind, posted) == "");

    auto on_a_strand = [](const shard_executor& executor, auto& stop) {
        asio::post(asio::make_strand(executor), stop);
    };
    BOOST_TEST(stopped_inside(kind, on_a_strand) == "");

    auto by_leats_timer = [](const shard_executor& executor, auto& stop) {
        auto timer = std::make_shared<shard_timer>(executor, 1ms);
        timer->async_wait([timer, &stop](error_code) { stop(); });
    };
    BOOST_TEST(stopped_inside(kind, by_leats_timer) == "");

    auto by_asios_timer = [](const shard_executor& executor, auto& stop) {
        auto timer = std::make_shared<asio::steady_timer>(executor, 1ms);
        timer->async_wait([timer, &stop](error_code) { stop(); });
    };
    BOOST_TEST(stopped_inside(kind, by_asios_timer) == "");

    auto in_a_coroutine = [](const shard_executor& executor, auto& stop) {
        auto body = [](std::function<void()>& call) -> asio::awaitable<void> {
            shard_timer timer(shard_executor::current(), 1ms);
            co_await timer.async_wait(asio::use_awaitable);
            call();
        };
        asio::co_spawn(executor, body(stop), asio::detached);
    };
    BOOST_TEST(stopped_inside(kind, in_a_coroutine) == "");

    auto by_a_connection = [](const shard_executor&, auto& stop) {
        auto both = std::make_shared<connection>();
        auto byte = std::make_shared<char>('s');
        both->far.async_read_some(asio::buffer(byte.get(), 1),
                                  [both, byte, &stop](error_code, std::size_t) { stop(); });
        both->near.async_write_some(asio::buffer("s", 1), [both](error_code, std::size_t) {});
    };
    BOOST_TEST(stopped_inside(kind, by_a_connection) == "");
}

namespace {

task<> count_up(std::atomic<int>& counter) {
    ++counter;
    co_return;
}

}  // namespace

BOOST_DATA_TEST_CASE(handlers_spawn_tasks_on_shards_that_have_ended, both_backends, kind) {
    const leftovers before;
    int refused = 0;
    for (int round = 0; round < 100; ++round) {
        engine owner{options_of(2, kind)};
        owner.start();
        std::atomic<int> run{0};
        std::vector<spawned<void>> spawns;
        const shard_executor here(owner.at(0));
        // Nothing but handlers keeps the first shard going, so the other one ends when it likes.
        std::function<void(int)> go_on = [&](int left) {
            spawns.push_back(owner.spawn_on(1, count_up(run)));
            if (left > 0) asio::post(here, [&go_on, left] { go_on(left - 1); });
        };
        asio::post(here, [&] {
            owner.stop();
            go_on(50);
        });
        const stop_report report = owner.join();
        BOOST_REQUIRE(!report.code);
        int ended = 0;
        for (auto& one : spawns) {
            const error_code code = code_thrown_by([&] { one.get(); });
            BOOST_REQUIRE((!code || code == errc::stopped));
            (code ? refused : ended) += 1;
        }
        BOOST_REQUIRE(ended == run);
    }
    BOOST_TEST_MESSAGE(refused << " refused");
    BOOST_TEST(before.none());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
