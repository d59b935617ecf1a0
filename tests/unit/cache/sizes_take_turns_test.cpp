// Memory full of small buffers gives room to large ones, and the other way round.
#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(sizes_take_turns_test)

using namespace leat;
using namespace leat::literals;
using leat::test::fragments;
using leat::test::is_pattern;
using leat::test::right_bytes;

BOOST_AUTO_TEST_CASE(sizes_between_small_and_a_slab_are_served_from_full_memory) {
    fragments of{8_GiB, 128_MiB, 10_MiB};
    for (std::uint64_t i = 0; i < 40'000; ++i) {
        const std::uint64_t size = 4_KiB << i % 5;
        BOOST_REQUIRE(of.right(i * 128_KiB, size));
    }
    std::uint64_t before = of.sum().evictions;
    std::uint64_t at = 6'000_MiB;
    for (const std::uint64_t size : {96_KiB, 320_KiB, 640_KiB, 1024_KiB}) {
        BOOST_TEST(!of.owner.run(test::code_of(of.manager, of.at(at, size, hint::no_wait))));
        at += 10_MiB;
        // No more than a segment's worth of the smallest.
        const std::uint64_t after = of.sum().evictions;
        BOOST_TEST(after - before <= 10_MiB / 4_KiB);
        before = after;
    }
}

BOOST_AUTO_TEST_CASE(fragments_that_fill_all_move_for_a_whole_chunk_and_stay_right) {
    // Chunks of 1 MiB, of which 32 fit into sixteen segments.
    fragments of{256_MiB, 32_MiB};
    constexpr std::uint64_t stride = 192_KiB;
    std::uint64_t count = 0;
    // Until one makes room for another, and no segment for entries.
    std::uint64_t before = 0;
    cache_statistics full;
    do {
        before = full.evictions;
        BOOST_REQUIRE(of.right(count++ * stride, 64_KiB));
        full = of.sum();
    } while (full.evictions != before + 1);
    BOOST_TEST(full.chunks >= 480u);
    const slice whole = of.get(200_MiB, 1_MiB);
    BOOST_TEST(is_pattern(whole.bytes(), 1, 200_MiB));
    const cache_statistics after = of.sum();
    // What it takes is evicted, 16 of them, or at most a segment's worth and a little more.
    BOOST_TEST(after.evictions - full.evictions >= 16u);
    BOOST_TEST(after.evictions - full.evictions <= 48u);
    BOOST_TEST(after.chunks == count - after.evictions + 1);
    unsigned there = 0;
    auto look = [](const chunk_manager& manager, chunk_config config) -> task<int> {
        const slice found = manager.peek(config);
        if (!found) co_return 0;
        co_return is_pattern(found.bytes(), 1, config.offset) ? 1 : -1;
    };
    for (std::uint64_t i = 0; i < count; ++i) {
        const int found = of.owner.run(look(of.manager, of.at(i * stride, 64_KiB)));
        BOOST_TEST(found >= 0);
        there += found == 1 ? 1 : 0;
    }
    BOOST_TEST(there == count - after.evictions);
}

BOOST_AUTO_TEST_CASE(large_and_small_take_turns_and_all_bytes_are_right) {
    fragments of{128_MiB, 8_MiB};
    for (std::uint64_t round = 0; round < 20; ++round) {
        for (std::uint64_t i = 0; i < 40; ++i) {
            const std::uint64_t size = 4_KiB << (i + round) % 5;
            const std::uint64_t place = (round * 40 + i) * 37 % 600 * 192_KiB / size * size;
            BOOST_REQUIRE(of.right(place, size));
        }
        for (std::uint64_t i = 0; i < 3; ++i)
            BOOST_REQUIRE(of.right((round * 3 + i) % 120 * 1_MiB, 1_MiB));
    }
    of.settle();
    BOOST_TEST(of.sum().pins == 0u);
}

BOOST_AUTO_TEST_CASE(one_pinned_piece_in_each_segment_keeps_no_stream_and_costs_no_other) {
    fragments of{256_MiB, 32_MiB};
    std::vector<slice> pins;
    for (std::uint64_t i = 0; i < 496; ++i) {
        slice one = of.get(i * 192_KiB, 64_KiB);
        if (i % 32 == 9) pins.push_back(std::move(one));
    }
    BOOST_REQUIRE(of.sum().evictions == 0u);
    BOOST_REQUIRE(pins.size() == 16u);
    const auto read = [](fragments& with) -> task<bool> {
        std::vector<std::byte> to(1_MiB);
        co_await with.manager.read(with.from, 200_MiB, to);
        co_return is_pattern(to, 1, 200_MiB);
    };
    BOOST_TEST(of.owner.run(read(of)));
    of.settle();
    const cache_statistics sum = of.sum();
    BOOST_TEST(sum.bypasses == 0u);
    BOOST_TEST(sum.evictions <= 16u);  // for as many fragments
    BOOST_TEST(sum.chunks == 512u - sum.evictions);
    // A request that must be contiguous, and does not wait, evicts nothing.
    const chunk_config large = of.at(220_MiB, 1_MiB, hint::no_wait);
    BOOST_TEST(bool{of.owner.run(test::code_of(of.manager, large))});
    BOOST_TEST(of.sum().evictions == sum.evictions);
    // For one that has room in a slab some go.
    BOOST_TEST(of.right(222_MiB, 128_KiB));
    BOOST_TEST(of.sum().evictions - sum.evictions <= 8u);
    for (std::size_t i = 0; i < pins.size(); ++i)
        BOOST_TEST(is_pattern(pins[i].bytes(), 1, (32 * i + 9) * 192_KiB));
    pins.clear();
    BOOST_TEST(of.right(220_MiB, 1_MiB));
}

BOOST_AUTO_TEST_CASE(for_a_chunk_of_several_segments_nothing_goes_in_vain) {
    // Segments of 2 MiB, and a manager whose chunks have three of them.
    fragments of{256_MiB, 32_MiB};
    chunk_manager longer{of.owner, test::scripted_source{of.source}, {.chunk_size = 6_MiB}};
    const file from = of.owner.run(longer.open("any"));
    std::vector<slice> pins;
    for (std::uint64_t i = 0; i < 496; ++i) {
        slice one = of.get(i * 192_KiB, 64_KiB);
        if (i % 64 == 9) pins.push_back(std::move(one));  // every second segment
    }
    const cache_statistics full = of.sum();
    BOOST_REQUIRE(full.evictions == 0u);
    const chunk_config wanted{from, 198_MiB, 6_MiB, hint::no_wait};
    BOOST_TEST(bool{of.owner.run(test::code_of(longer, wanted))});
    BOOST_TEST(of.sum().evictions == 0u);
    for (std::size_t i = 0; i < pins.size(); ++i)
        BOOST_TEST(is_pattern(pins[i].bytes(), 1, (64 * i + 9) * 192_KiB));
    pins.clear();
    BOOST_TEST(of.owner.run(right_bytes(longer, wanted)));
    // What three segments hold, and perhaps one for entries.
    BOOST_TEST(of.sum().evictions <= 128u);
}

BOOST_AUTO_TEST_SUITE_END()
