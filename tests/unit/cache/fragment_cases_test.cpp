// Fragments where it is not plain sailing: bad units, streams across shards, little room.
#include "fragments.hpp"
#include "shard/shard_parts.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

BOOST_AUTO_TEST_SUITE(fragment_cases_test)

using namespace leat;
using namespace leat::literals;
using leat::test::code_of;
using leat::test::fragments;
using leat::test::is_pattern;
using leat::test::right_bytes;

namespace {

task<bool> right_copies(fragments& of, std::uint64_t end, std::uint64_t step) {
    std::vector<std::byte> to(step);
    bool right = true;
    for (std::uint64_t at = 0; at < end; at += step) {
        co_await of.manager.read(of.from, at, to);
        right = right && is_pattern(to, 1, at);
    }
    co_return right;
}

task<std::size_t> streams_here() {
    co_return detail::shard_cache::current().parts().runs.streams();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_bad_unit_does_not_keep_others_of_its_fragment_from_being_read) {
    fragments of{1_MiB};
    of.source->bad_from = 40_KiB;
    of.source->bad_to = 44_KiB;
    BOOST_TEST(of.right(0, 4_KiB));
    BOOST_TEST(!of.code(4_KiB, 4_KiB));
    BOOST_TEST(!of.code(4_KiB, 4_KiB));
}

BOOST_AUTO_TEST_CASE(a_bad_unit_beside_what_is_asked_for_does_no_harm) {
    fragments of{1_MiB};
    of.source->bad_from = 28_KiB;
    of.source->bad_to = 32_KiB;
    BOOST_TEST(!of.code(8_KiB, 12_KiB));
}

BOOST_AUTO_TEST_CASE(a_chunk_that_a_stream_wants_whole_is_not_read_in_its_readers_pieces) {
    fragments of{64_MiB, 256_MiB, 10_MiB};
    of.source->delay_ms = 1;
    BOOST_TEST(of.walk(0, 64_MiB, 16_KiB));
    BOOST_TEST(of.sum().reads < 60u);
    BOOST_TEST(of.owner.run(streams_here()) == 1u);
}

BOOST_AUTO_TEST_CASE(one_reader_is_one_stream_on_whichever_shard) {
    for (const unsigned shard : {0u, 1u}) {
        fragments of{128_MiB, 128_MiB, 10_MiB, 2};
        BOOST_TEST(of.walk(0, 128_MiB, 16_KiB, shard));
        BOOST_TEST(of.sum().reads < 100u);
        BOOST_TEST(of.owner.spawn_on(shard, streams_here()).get() <= 2u);
    }
}

BOOST_AUTO_TEST_CASE(who_copies_in_order_by_larger_pieces_makes_no_more_reads) {
    for (const std::uint64_t step : {64_KiB, 128_KiB, 256_KiB, 1_MiB}) {
        fragments of{60_MiB, 64_MiB, 10_MiB};
        BOOST_TEST(of.owner.run(right_copies(of, 60_MiB, step)));
        BOOST_TEST(of.sum().reads < 40u, step);
    }
}

BOOST_AUTO_TEST_CASE(one_pinned_unit_of_a_class_does_not_keep_the_others_from_being_evicted) {
    fragments of{256_MiB, 4_MiB};  // two segments
    const slice held = of.get(0, 4_KiB);
    for (std::uint64_t i = 1; i < 500; ++i) BOOST_REQUIRE(of.right(i * 192_KiB, 4_KiB));
    for (std::uint64_t i = 500; i < 532; ++i) BOOST_REQUIRE(of.right(i * 192_KiB, 64_KiB));
    BOOST_TEST(!of.owner.run(code_of(of.manager, of.at(700 * 192_KiB, 8_KiB, hint::no_wait))));
}

BOOST_AUTO_TEST_CASE(a_pinned_unit_in_each_segment_keeps_nobody_from_the_rest_of_a_fragment) {
    fragments of{1_GiB, 16_MiB};
    std::vector<slice> pins;
    for (std::uint64_t i = 0; i < std::uint64_t{8} * 512; ++i) {
        slice one = of.get(i * 192_KiB, 4_KiB);
        if (i % 512 == 100) pins.push_back(std::move(one));
    }
    BOOST_TEST(of.right(900_MiB, 4_KiB));
    BOOST_TEST(!of.owner.run(code_of(of.manager, of.at(900_MiB + 8_KiB, 4_KiB, hint::no_wait))));
    BOOST_TEST(!of.owner.run(code_of(of.manager, of.at(901_MiB + 8_KiB, 8_KiB, hint::no_wait))));
}

BOOST_AUTO_TEST_CASE(fragments_that_a_chunk_has_replaced_go_with_the_last_pin_elsewhere) {
    fragments of{64_MiB, 64_MiB, 1_MiB, 2};
    std::uint64_t base = 0;
    while (of.manager.owner(of.at(base, 1)) != 0) base += 1_MiB;
    std::vector<slice> held;
    for (const std::uint64_t in : {64_KiB, 192_KiB, 512_KiB})
        held.push_back(of.get(base + in, 4_KiB, 1));
    auto read = [](fragments& with, std::uint64_t at) -> task<> {
        std::vector<std::byte> to(1_MiB);
        co_await with.manager.read(with.from, at, to);
    };
    of.owner.spawn_on(0, read(of, base)).get();
    of.settle();
    BOOST_TEST(of.sum().chunks == 4u);
    held.clear();
    while (of.sum().leases != 0) std::this_thread::yield();
    BOOST_TEST(of.sum().chunks == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_in_memory_of_fragments_that_a_request_crosses_is_not_read_again) {
    fragments of{1_MiB};
    BOOST_TEST(of.right(0, 64_KiB));
    BOOST_TEST(of.right(64_KiB, 64_KiB));
    (void)of.reads();
    BOOST_TEST(of.right(32_KiB, 64_KiB));
    BOOST_TEST(of.reads().empty());
}

BOOST_AUTO_TEST_CASE(a_stream_that_was_held_up_is_served_from_fragments_where_no_chunk_fits) {
    fragments of{512_MiB, 16_MiB};
    std::vector<slice> pins;
    for (std::uint64_t i = 0; i < 256; ++i) {
        slice one = of.get(i * 192_KiB, 64_KiB);
        if (i % 32 == 9) pins.push_back(std::move(one));
    }
    of.source->held = true;
    auto part = of.owner.spawn_on(0, right_bytes(of.manager, of.at(200_MiB + 60_KiB, 64_KiB)));
    while (of.sum().waiting != 1) std::this_thread::yield();
    auto read = [](fragments& with) -> task<bool> {
        std::vector<std::byte> to(1_MiB);
        co_await with.manager.read(with.from, 200_MiB, to);
        co_return is_pattern(to, 1, 200_MiB);
    };
    auto copy = of.owner.spawn_on(0, read(of));
    while (of.sum().waiting != 2) std::this_thread::yield();
    of.source->held = false;
    BOOST_TEST(part.get());
    BOOST_TEST(copy.get());
    BOOST_TEST(of.sum().bypasses == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
