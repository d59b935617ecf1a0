// What a slice holds, shares and gives back.
#include "cache_support.hpp"
#include "pattern.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <optional>
#include <thread>

BOOST_AUTO_TEST_SUITE(slice_test)

using namespace leat;
using namespace leat::literals;
using leat::test::get;
using leat::test::script_of;
using leat::test::scripted_source;

namespace {
task<> drop(slice held) {
    held = slice{};
    co_return;
}
}  // namespace

BOOST_AUTO_TEST_CASE(an_empty_slice_has_no_bytes) {
    const slice empty;
    BOOST_TEST(!empty);
    BOOST_TEST(empty.bytes().empty());
    BOOST_TEST(!empty.share());
}

BOOST_AUTO_TEST_CASE(sub_slices_and_shares_pin_the_same_bytes) {
    engine owner{test::small_engine(1, 1_MiB, 64_KiB)};
    chunk_manager manager{owner, scripted_source{script_of(100'000)}};
    const file from = owner.run(manager.open("any"));
    auto body = [](chunk_manager& of, file name) -> task<bool> {
        const chunk_config config{name, 1000, 500};
        slice whole = co_await of.get_chunk(config);
        const slice shared = whole.share();
        const slice part = std::move(whole).subslice(100, 50);
        co_return !whole && shared.size() == 500 && part.size() == 50 &&
            test::is_pattern(part.bytes(), 1, 1100);
    };
    BOOST_TEST(owner.run(body(manager, from)));
    BOOST_TEST(owner.run(manager.statistics()).pins == 0u);
    BOOST_TEST(owner.run(manager.statistics()).referred_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(slices_dropped_on_other_shards_and_threads_return_their_pins) {
    engine owner{test::small_engine(3, 3_MiB, 64_KiB)};
    chunk_manager manager{owner, scripted_source{script_of(1'000'000)}};
    const file from = owner.run(manager.open("any"));
    for (int round = 0; round < 50; ++round) {
        std::vector<std::thread> threads;
        for (std::uint64_t chunk = 0; chunk < 4; ++chunk) {
            const chunk_config config{from, chunk * 64_KiB, 100};
            owner.spawn_on(1, drop(owner.run(get(manager, config)))).get();
            for (int i = 0; i < 2; ++i) {
                threads.emplace_back(
                    [held = owner.run(get(manager, config))]() mutable { held = slice{}; });
            }
        }
        for (std::thread& thread : threads) thread.join();
    }
    const cache_statistics sum = owner.run(manager.statistics());
    BOOST_TEST(sum.pins == 0u);
    BOOST_TEST(sum.referred_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(slices_outlive_the_engine_with_their_bytes) {
    std::vector<slice> kept;
    std::optional<file> from;
    {
        engine owner{test::small_engine(2, 1_MiB, 64_KiB)};
        chunk_manager manager{owner, scripted_source{script_of(400'000)}};
        from = owner.run(manager.open("any"));
        for (std::uint64_t chunk = 0; chunk < 5; ++chunk) {
            kept.push_back(owner.run(get(manager, {*from, chunk * 64_KiB + 7, 1000})));
        }
        owner.stop();
        BOOST_TEST(owner.join().held == 5u);
    }
    for (std::uint64_t chunk = 0; chunk < 5; ++chunk) {
        BOOST_TEST(test::is_pattern(kept[chunk].bytes(), 1, chunk * 64_KiB + 7));
    }
    std::vector<std::thread> threads;
    for (slice& one : kept)
        threads.emplace_back([held = std::move(one)]() mutable { held = slice{}; });
    for (std::thread& thread : threads) thread.join();
}

BOOST_AUTO_TEST_CASE(slices_dropped_while_the_engine_ends_are_released_once) {
    for (int round = 0; round < 30; ++round) {
        std::vector<std::thread> threads;
        engine owner{test::small_engine(2, 1_MiB, 64_KiB)};
        chunk_manager manager{owner, scripted_source{script_of(400'000)}};
        const file from = owner.run(manager.open("any"));
        for (std::uint64_t chunk = 0; chunk < 5; ++chunk) {
            threads.emplace_back(
                [held = owner.run(get(manager, {from, chunk * 64_KiB, 100}))]() mutable {
                    std::this_thread::yield();
                    held = slice{};
                });
        }
        owner.stop();
        BOOST_TEST(!owner.join().code);
        for (std::thread& thread : threads) thread.join();
    }
}

BOOST_AUTO_TEST_SUITE_END()
