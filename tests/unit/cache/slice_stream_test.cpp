// Walks through files, and what they ask ahead.
#include "cache_support.hpp"
#include "pattern.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>

BOOST_AUTO_TEST_SUITE(slice_stream_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::script_of;
using leat::test::scripted_source;
using leat::test::small_engine;

BOOST_AUTO_TEST_CASE(slices_walk_a_range_in_order_in_pieces_of_any_size) {
    engine owner{small_engine(2, 2_MiB, 64_KiB)};
    chunk_manager manager{owner, scripted_source{script_of(1'000'003)}};
    const file from = owner.run(manager.open("any"));
    auto walk = [](chunk_manager& over, file of, std::uint64_t begin, std::uint64_t length,
                   slices_options options) -> task<std::uint64_t> {
        slice_stream stream = over.slices(of, begin, length, options);
        std::uint64_t count = 0;
        for (;;) {
            const slice piece = co_await stream.next();
            if (!piece) break;
            if (!test::is_pattern(piece.bytes(), 1, begin + count)) co_return ~std::uint64_t{0};
            count += piece.size();
        }
        co_return count;
    };
    for (const std::uint32_t size : {0u, 1000u, 4096u, 65'536u, 100'000u}) {
        const slices_options options{3, size};
        BOOST_TEST(owner.run(walk(manager, from, 0, ~std::uint64_t{0}, options)) == 1'000'003u);
        BOOST_TEST(owner.run(walk(manager, from, 65'535, 65'538, options)) == 65'538u);
        BOOST_TEST(owner.run(walk(manager, from, 1'000'002, 5, options)) == 1u);
        BOOST_TEST(owner.run(walk(manager, from, 1'000'003, 5, options)) == 0u);
        BOOST_TEST(owner.run(walk(manager, from, 5'000'000, 5, options)) == 0u);
    }
    BOOST_TEST(owner.run(manager.statistics()).pins == 0u);
}

BOOST_AUTO_TEST_CASE(a_stream_reads_ahead_beside_a_bad_sector_only_once) {
    engine owner{small_engine(1, 16_MiB, 1_MiB)};
    const auto source = script_of(2_MiB);
    source->bad_from = 1_MiB + 500'000;
    source->bad_to = source->bad_from + 1;
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    auto walk = [](chunk_manager& of, file name) -> task<int> {
        slice_stream stream = of.slices(name, 0, 2_MiB, {.depth = 1, .slice_size = 4096});
        int count = 0;
        for (; count < 256; ++count) {
            const slice piece = co_await stream.next();
            co_await leat::sleep(100us);
        }
        co_return count;
    };
    BOOST_TEST(owner.run(walk(manager, from)) == 256);
    BOOST_TEST(source->reads < 10u);
    BOOST_TEST(source->bytes < 4_MiB);
}

BOOST_AUTO_TEST_CASE(a_stream_asks_ahead_once_for_what_is_behind_a_chunk_without_a_buffer) {
    engine owner{small_engine(1, 256_KiB, 64_KiB)};
    const auto source = script_of(1_MiB);
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    static constexpr auto touch = [](chunk_manager& of, const file& name) -> task<> {
        const slice got = co_await of.get_chunk({name, 128_KiB, 100});
    };
    auto walk = [](chunk_manager& of, file name, test::script& reads) -> task<std::uint64_t> {
        const slice one = co_await of.get_chunk({name, 0, 64_KiB});
        const slice two = co_await of.get_chunk({name, 512_KiB, 100});
        const slice three = co_await of.get_chunk({name, 576_KiB, 100});
        reads.delay_ms = 300;
        scope others;  // chunk 2 gets the last buffer and is long on its way, chunk 1 gets none
        others.spawn_made([&] { return touch(of, name); });
        while (reads.in_flight == 0) co_await yield{};
        std::uint64_t waiting = 0;
        {
            slice_stream stream = of.slices(name, 0, 1_MiB, {.depth = 2, .slice_size = 1000});
            for (int left = 10; left > 0; --left) {
                const slice piece = co_await stream.next();
                co_await yield{};
            }
            const cache_statistics now = co_await of.statistics();
            waiting = now.waiting;
        }
        co_await others.join();
        co_return waiting;
    };
    BOOST_TEST(owner.run(walk(manager, from, *source)) == 2u);
}

// Where there is room for few chunks, an owner reads fragments.
BOOST_AUTO_TEST_CASE(a_walk_through_little_memory_reads_nothing_twice) {
    for (const unsigned depth : {0u, 2u, 5u}) {
        for (const std::uint64_t memory : {64_MiB, 128_MiB, 256_MiB}) {
            engine owner{small_engine(1, memory, 10_MiB)};
            const auto source = script_of(40_MiB);
            source->grain = 4_KiB;
            chunk_manager manager{owner, scripted_source{source}};
            const file from = owner.run(manager.open("any"));
            auto walk = [](chunk_manager& of, file name, unsigned ahead) -> task<std::uint64_t> {
                slice_stream stream = of.slices(name, 0, 40_MiB, {.depth = ahead});
                std::uint64_t count = 0;
                for (;;) {
                    const slice piece = co_await stream.next();
                    if (!piece) break;
                    count += piece.size();
                }
                co_return count;
            };
            BOOST_TEST(owner.run(walk(manager, from, depth)) == 40_MiB);
            BOOST_TEST(source->bytes == 40_MiB);
        }
    }
}

BOOST_AUTO_TEST_CASE(while_a_walk_waits_for_a_chunk_as_many_are_on_their_way_as_it_asks_ahead) {
    engine owner{small_engine(1, 320_MiB, 10_MiB)};
    const auto source = script_of(80_MiB);
    source->grain = 4_KiB;
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    static constexpr auto take = [](slice_stream& stream) -> task<> {
        const slice piece = co_await stream.next();
    };
    auto walk = [](chunk_manager& of, file name, test::script& reads) -> task<int> {
        slice_stream stream = of.slices(name, 0, 80_MiB, {.depth = 3, .slice_size = 10_MiB});
        co_await take(stream);
        reads.held = true;
        scope waiting;
        waiting.spawn_made([&] { return take(stream); });
        for (int left = 3000; left > 0 && reads.in_flight < 4; --left) co_await leat::sleep(1ms);
        co_await leat::sleep(10ms);
        const int on_their_way = reads.in_flight;
        reads.held = false;
        co_await waiting.join();
        co_return on_their_way;
    };
    BOOST_TEST(owner.run(walk(manager, from, *source)) == 4);
}

BOOST_AUTO_TEST_SUITE_END()
