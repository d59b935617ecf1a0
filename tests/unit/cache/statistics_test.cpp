// What the cache tells of itself.
#include "cache_support.hpp"
#include "misuse.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <set>
#include <string>
#include <thread>

BOOST_AUTO_TEST_SUITE(statistics_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::get;
using leat::test::script_of;
using leat::test::scripted_source;
using leat::test::small_engine;

namespace {

struct served {
    engine owner{small_engine(2, 2_MiB, 64_KiB)};
    chunk_manager manager{owner, scripted_source{script_of(1_MiB)}};
    file from = owner.run(manager.open("film"));

    slice get_on(unsigned shard, const chunk_config& config) {
        return owner.spawn_on(shard, get(manager, config)).get();
    }
    cache_statistics told() { return owner.run(manager.statistics()); }
};

// Keeps its shard inside a turn.
task<> block(std::atomic<bool>& begun, std::atomic<bool>& go) {
    begun = true;
    while (!go) std::this_thread::yield();
    co_return;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_chunk_counts_once_however_many_shards_pin_it) {
    served with;
    const slice first = with.get_on(0, {with.from, 128_KiB, 100});
    const slice second = with.get_on(1, {with.from, 128_KiB + 4096, 200});
    BOOST_TEST(with.told().pins == 2u);
    BOOST_TEST(with.told().pinned_bytes == 64_KiB);
    BOOST_TEST(with.told().referred_bytes == 300u);
    const slice other = with.get_on(1, {with.from, 256_KiB, 1});
    BOOST_TEST(with.told().pinned_bytes == 128_KiB);
}

BOOST_AUTO_TEST_CASE(what_is_found_without_waiting_is_a_hit_however_it_is_asked_for) {
    served with;
    const unsigned owner = with.manager.owner({with.from, 0, 1});
    (void)with.get_on(owner, {with.from, 0, 1});
    const std::uint64_t before = with.told().hits;
    // More than a turn's.
    const auto look = [](served& at) -> task<> {
        for (int i = 0; i < 3000; ++i) BOOST_TEST(bool(at.manager.peek({at.from, 0, 1})));
        BOOST_TEST(!at.manager.peek({at.from, 512_KiB, 1}));
        co_return;
    };
    with.owner.spawn_on(owner, look(with)).get();
    BOOST_TEST(with.told().hits - before == 3000u);
}

BOOST_AUTO_TEST_CASE(a_lease_alone_counts_the_whole_buffer_of_its_chunk) {
    for (const unsigned shard : {0u, 1u}) {
        served with;
        const slice only = with.get_on(shard, {with.from, 128_KiB, 100});
        BOOST_TEST(with.told().pinned_bytes == 64_KiB);
    }
}

BOOST_AUTO_TEST_CASE(the_oldest_pin_says_which_chunk_it_keeps) {
    served with;
    BOOST_TEST(with.told().oldest_pin.count() == 0);
    BOOST_TEST((with.told().oldest_pinned.doing == activity::none));
    slice older = with.get_on(0, {with.from, 128_KiB + 8, 100});
    const cache_statistics begun = with.told();
    cache_statistics now = begun;
    // Shards tell their ages one after the other.
    while (now.oldest_pin <= begun.oldest_pin + 50ms) now = with.told();
    const slice younger = with.get_on(0, {with.from, 256_KiB, 100});
    const slice there = with.get_on(1, {with.from, 256_KiB, 100});
    now = with.told();
    BOOST_TEST(now.oldest_pinned.file == with.from.id().number);
    BOOST_TEST(now.oldest_pinned.offset == 128_KiB);
    BOOST_TEST(now.oldest_pinned.size == 64_KiB);
    BOOST_TEST(to_string(now.oldest_pinned) == "get_chunk \"film\" offset 131072 size 65536");
    older = {};
    do now = with.told();
    while (now.pins != 2);  // dropped on a thread that is no shard
    BOOST_TEST(now.oldest_pinned.offset == 256_KiB);
}

BOOST_AUTO_TEST_CASE(any_thread_that_is_no_shard_can_ask) {
    served with;
    const slice kept = with.get_on(1, {with.from, 128_KiB, 100});
    // The rest of the chunk is read behind the answer.
    while (with.told().filling_chunks != 0) std::this_thread::yield();
    const cache_statistics told = with.manager.live_statistics(10s);
    BOOST_TEST(told.pins == 1u);
    BOOST_TEST(told.misses == with.told().misses);
    BOOST_TEST(told.bytes_read == with.told().bytes_read);
}

BOOST_AUTO_TEST_CASE(on_a_shard_who_would_block_is_told_so) {
    BOOST_TEST(test::dies_saying("live_statistics() blocks", [] {
        served with;
        with.owner.run([](chunk_manager& manager) -> task<> {
            static_cast<void>(manager.live_statistics());
            co_return;
        }(with.manager));
    }));
}

BOOST_AUTO_TEST_CASE(a_shard_that_does_not_answer_or_has_ended_is_an_error) {
    served with;
    std::atomic<bool> begun{false};
    std::atomic<bool> go{false};
    auto running = with.owner.spawn_on(1, block(begun, go));
    while (!begun) std::this_thread::yield();
    BOOST_CHECK_EXCEPTION(
        static_cast<void>(with.manager.live_statistics(20ms)), system_error,
        [](const system_error& failure) { return failure.code() == errc::timed_out; });
    go = true;
    running.get();
    with.owner.stop();
    with.owner.join();
    BOOST_CHECK_EXCEPTION(
        static_cast<void>(with.manager.live_statistics(20ms)), system_error,
        [](const system_error& failure) { return failure.code() == errc::stopped; });
}

BOOST_AUTO_TEST_CASE(each_counter_is_listed_once) {
    cache_statistics all;
    std::set<std::string> names;
    std::set<const void*> places;
    cache_statistics::each(
        [&](const char* name, std::uint64_t& counter) {
            names.insert(name);
            places.insert(&counter);
        },
        all);
    BOOST_TEST(names.size() == places.size());
    // What is no counter is the oldest pin: its age and its place.
    BOOST_TEST(sizeof all == places.size() * sizeof(std::uint64_t) + sizeof all.oldest_pin +
                                 sizeof all.oldest_pinned);
}

BOOST_AUTO_TEST_CASE(hit_ratios_of_other_memories_follow_from_what_would_be_filled) {
    cache_statistics all;
    BOOST_TEST(all.hit_ratio() == 0);
    all.hits = 800;
    all.misses = 200;
    all.fills = 50;
    all.fill_waits = 150;  // three a fill
    all.fills_at_half = 100;
    all.fills_at_double = 25;
    all.fills_at_quadruple = 0;
    const auto close = boost::test_tools::tolerance(1e-12);
    BOOST_TEST(all.hit_ratio() == 0.8, close);
    BOOST_TEST(all.hit_ratio(memory_factor::half) == 0.75, close);
    BOOST_TEST(all.hit_ratio(memory_factor::twice) == 0.875, close);
    BOOST_TEST(all.hit_ratio(memory_factor::four_times) == 0.95, close);
    all.fills_at_half = 5000;
    BOOST_TEST(all.hit_ratio(memory_factor::half) == 0);
}

BOOST_AUTO_TEST_CASE(what_was_done_since_leaves_what_is_held) {
    cache_statistics before;
    before.hits = 10;
    before.fills_at_quadruple = 3;
    before.chunks = 4;
    cache_statistics now = before;
    now.hits = 25;
    now.fills_at_quadruple = 5;
    now.chunks = 7;
    now.sending_bytes = 2;
    const cache_statistics lately = now.since(before);
    BOOST_TEST(lately.hits == 15u);
    BOOST_TEST(lately.fills_at_quadruple == 2u);
    BOOST_TEST(lately.chunks == 7u);
    BOOST_TEST(lately.sending_bytes == 2u);
}

BOOST_AUTO_TEST_CASE(a_loop_over_more_than_fits_would_hit_with_twice_the_memory) {
    engine owner{small_engine(2, 2 * 8 * 64_KiB, 64_KiB)};
    chunk_manager manager{owner, scripted_source{script_of(2_MiB)}};
    const file from = owner.run(manager.open("film"));
    for (int round = 0; round < 10; ++round) {
        for (std::uint64_t index = 0; index < 32; ++index)
            owner.run(get(manager, {from, index * 64_KiB, 100}));
    }
    const cache_statistics all = owner.run(manager.statistics());
    BOOST_TEST(all.hits + all.misses == 320u);
    BOOST_TEST(all.fills > 100u);
    BOOST_TEST(all.fill_waits >= all.fills);
    BOOST_TEST(all.fills_at_half > all.fills);
    BOOST_TEST(all.fills_at_quadruple == 32u);  // each once
    BOOST_TEST(all.hit_ratio(memory_factor::four_times) > all.hit_ratio() + 0.2);
    BOOST_TEST(all.hit_ratio(memory_factor::half) < all.hit_ratio());
}

BOOST_AUTO_TEST_SUITE_END()
