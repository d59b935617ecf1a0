// What is read when, and who is served first.
#include "cache_support.hpp"
#include "pattern.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <thread>

BOOST_AUTO_TEST_SUITE(fill_queue_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::code_of;
using leat::test::script_of;
using leat::test::scripted_source;
using leat::test::small_engine;

namespace {
task<boost::system::error_code> code_within(const chunk_manager& manager,
                                            chunk_config config,
                                            std::chrono::milliseconds time) {
    try {
        const slice got = co_await with_timeout(manager.get_chunk(config), time);
    } catch (const system_error& failure) {
        co_return failure.code();
    }
    co_return boost::system::error_code{};
}
}  // namespace

BOOST_AUTO_TEST_CASE(whole_chunks_through_two_managers_all_arrive) {
    engine owner{small_engine(1, 64_MiB, 1_MiB)};
    chunk_manager lower{owner, scripted_source{script_of(64_MiB)}};
    chunk_manager upper{owner, lower};
    const file from = owner.run(upper.open("any"));
    auto all = [](const chunk_manager& of, file_id id) -> task<int> {
        std::vector<task<boost::system::error_code>> jobs;
        for (std::uint64_t i = 0; i < 8; ++i) {
            jobs.push_back(code_within(of, {id, i * 1_MiB, static_cast<std::uint32_t>(1_MiB)}, 3s));
        }
        int failed = 0;
        const std::vector<boost::system::error_code> codes = co_await when_all(std::move(jobs));
        for (const auto& code : codes) failed += code ? 1 : 0;
        co_return failed;
    };
    BOOST_TEST(owner.run(all(upper, from)) == 0);
}

BOOST_AUTO_TEST_CASE(a_whole_chunk_behind_a_small_piece_arrives_through_two_managers) {
    engine owner{small_engine(1, 64_MiB, 2_MiB)};
    chunk_manager lower{owner, scripted_source{script_of(64_MiB)}};
    chunk_manager upper{owner, lower};
    const file from = owner.run(upper.open("any"));
    auto body = [](const chunk_manager& of, file_id id) -> task<boost::system::error_code> {
        const slice small = co_await of.get_chunk({id, 0, 100});
        const chunk_config whole{id, 2_MiB, static_cast<std::uint32_t>(2_MiB)};
        co_return co_await code_within(of, whole, 3s);
    };
    BOOST_TEST(!owner.run(body(upper, from)));
}

BOOST_AUTO_TEST_CASE(large_requests_are_served_in_turn) {
    engine owner{small_engine(1, 64_MiB, 1_MiB)};
    const auto source = script_of(1'000 * 1_MiB);
    source->delay_ms = 1;
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    struct state {
        int total = 0;
        std::vector<int> counts = std::vector<int>(24);
    } sum;
    auto reader = [](const chunk_manager& of, file_id id, state& all, int me) -> task<> {
        for (std::uint64_t i = 0; all.total < 400; ++i) {
            const std::uint64_t index = (static_cast<std::uint64_t>(me) * 41 + i) % 1000;
            const chunk_config config{id, index * 1_MiB, static_cast<std::uint32_t>(1_MiB)};
            const slice got = co_await of.get_chunk(config);
            if (all.total++ < 400) ++all.counts[static_cast<std::size_t>(me)];
        }
    };
    std::vector<spawned<void>> running;
    for (int i = 0; i < 24; ++i)
        running.push_back(owner.spawn_on(0, reader(manager, from, sum, i)));
    for (auto& one : running) one.get();
    const int least = *std::min_element(sum.counts.begin(), sum.counts.end());
    BOOST_TEST(least > 0);
}

BOOST_AUTO_TEST_CASE(a_large_request_goes_before_what_nobody_waits_for) {
    engine owner{small_engine(1, 128_MiB, 1_MiB)};
    const auto source = script_of(120_MiB);
    source->delay_ms = 1;
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    struct state {
        int done = 0;
        int when_large = -1;
    } seen;
    auto noise = [](const chunk_manager& of, file_id id, state& all, std::uint64_t me) -> task<> {
        for (std::uint64_t i = 0; all.done < 2000; ++i) {
            const std::uint64_t chunk = (i * 8 + me) % 120;
            const std::uint64_t unit = 3 * (i * 8 / 120) % 250;
            const slice got = co_await of.get_chunk({id, chunk * 1_MiB + unit * 4096, 100});
            ++all.done;
        }
    };
    auto large = [](const chunk_manager& of, file_id id, state& all) -> task<> {
        while (all.done < 200) {
            co_await leat::sleep(1ms);
        }
        const chunk_config config{id, 7 * 1_MiB, static_cast<std::uint32_t>(1_MiB)};
        const slice got = co_await of.get_chunk(config);
        all.when_large = all.done;
    };
    std::vector<spawned<void>> running;
    for (std::uint64_t i = 0; i < 8; ++i)
        running.push_back(owner.spawn_on(0, noise(manager, from, seen, i)));
    running.push_back(owner.spawn_on(0, large(manager, from, seen)));
    for (auto& one : running) one.get();
}

BOOST_AUTO_TEST_CASE(a_large_request_for_good_bytes_succeeds_beside_a_bad_sector) {
    engine owner{small_engine(1, 16_MiB, 4_MiB)};
    const auto source = script_of(4_MiB);
    source->bad_from = 3_MiB;
    source->bad_to = 3_MiB + 1;
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    const chunk_config config{from, 0, static_cast<std::uint32_t>(1_MiB)};
    BOOST_TEST(!owner.run(code_of(manager, config)));
    BOOST_TEST(!owner.run(code_of(manager, config)));
}

namespace {
template <class Ask>
void stop_with_own_token(Ask ask) {
    engine_options options = small_engine(1, 64_MiB, 1_MiB);
    options.stop_timeout = 1000ms;
    const auto source = script_of(64_MiB);
    source->delay_ms = 60'000;
    std::stop_source own;
    const std::stop_token token = own.get_token();
    engine owner{options};
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    auto body = [](const chunk_manager& of, chunk_config config,
                   const std::stop_token& mine) -> task<boost::system::error_code> {
        task<boost::system::error_code> asking = code_of(of, config);
        asking.set_stop(mine);
        co_return co_await std::move(asking);
    };
    std::vector<spawned<boost::system::error_code>> running;
    ask(owner, [&](std::uint64_t index, std::uint32_t size) {
        const chunk_config config{from, index * 1_MiB, size};
        running.push_back(owner.spawn_on(0, body(manager, config, token)));
    });
    std::this_thread::sleep_for(50ms);
    owner.stop();
    const stop_report report = owner.join();
    BOOST_TEST(!report.code, report.owed);
}
}  // namespace

BOOST_AUTO_TEST_CASE(stopping_ends_requests_for_queued_fills_whatever_their_token) {
    stop_with_own_token([](engine&, auto ask) {
        for (std::uint64_t i = 0; i < 9; ++i) ask(i, 1_MiB);
    });
}

BOOST_AUTO_TEST_SUITE_END()
