// What streams ask ahead at their marks, and what becomes of it.
#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <optional>
#include <vector>

BOOST_AUTO_TEST_SUITE(look_ahead_test)

using namespace leat;
using namespace leat::literals;
using leat::test::extent_read;
using leat::test::extent_reads;
using leat::test::fragments;

namespace {

/// Reads in order by `step`, and lets what was asked ahead come before it goes on.
void walk_slowly(fragments& of, std::uint64_t begin, std::uint64_t end, std::uint64_t step) {
    for (std::uint64_t at = begin; at < end; at += step) {
        BOOST_TEST(of.right(at, step));
        of.settle();
    }
}

std::uint64_t end_of(const extent_reads& reads) {
    std::uint64_t end = 0;
    for (const extent_read& one : reads) end = std::max(end, one.offset + one.size);
    return end;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_steady_stream_misses_no_more_once_it_is_one) {
    for (const std::uint64_t memory : {64_MiB, 256_MiB}) {
        fragments of{40_MiB, memory, 10_MiB};
        walk_slowly(of, 0, 448_KiB, 64_KiB);
        const cache_statistics before = of.sum();
        walk_slowly(of, 448_KiB, 40_MiB, 64_KiB);
        const cache_statistics after = of.sum();
        BOOST_TEST(after.demand_reads == before.demand_reads);
        BOOST_TEST(of.source->bytes == 40_MiB);
        BOOST_TEST(of.source->most_in_flight == 1);
    }
}

BOOST_AUTO_TEST_CASE(what_follows_is_asked_for_at_the_mark_and_once) {
    fragments of{64_MiB, 64_MiB, 10_MiB};
    walk_slowly(of, 0, 256_KiB, 64_KiB);
    (void)of.reads();
    BOOST_TEST(of.right(256_KiB, 64_KiB));  // the window is 192 to 448 KiB
    of.settle();
    BOOST_TEST(of.reads().empty());
    BOOST_TEST(of.right(320_KiB, 64_KiB));
    of.settle();
    BOOST_TEST(end_of(of.reads()) == 704_KiB);
    for (int again = 0; again < 3; ++again) BOOST_TEST(of.right(320_KiB, 64_KiB));
    BOOST_TEST(of.right(384_KiB, 64_KiB));
    of.settle();
    BOOST_TEST(of.reads().empty());
}

BOOST_AUTO_TEST_CASE(beyond_a_mark_everything_is_there_for_all) {
    fragments of{64_MiB, 256_MiB, 10_MiB};
    walk_slowly(of, 0, 30_MiB, 64_KiB);
    // Whole chunks, of which one is marked.
    const cache_statistics before = of.sum();
    for (const std::uint64_t at : {39_MiB, 36_MiB, 35_MiB})
        BOOST_TEST(of.right(at, 64_KiB) == true);
    BOOST_TEST(of.sum().demand_reads <= before.demand_reads + 3);
    const slice peeked = of.owner.run([](fragments& with) -> task<slice> {
        co_return with.manager.peek(with.at(30_MiB - 64_KiB, 64_KiB));
    }(of));
    BOOST_TEST(peeked.size() == 64_KiB);
}

BOOST_AUTO_TEST_CASE(a_stream_of_another_shards_chunks_asks_ahead_too) {
    fragments of{120_MiB, 512_MiB, 10_MiB, 2};
    for (const unsigned shard : {0u, 1u}) {
        const std::uint64_t begin = shard * 60_MiB;
        for (std::uint64_t at = begin; at < begin + 60_MiB; at += 64_KiB) {
            BOOST_TEST(of.right(at, 64_KiB, shard));
            of.settle();
        }
    }
    BOOST_TEST(of.source->bytes == 120_MiB);
    BOOST_TEST(of.sum().demand_reads < 20u);
}

BOOST_AUTO_TEST_CASE(windows_over_small_chunks_are_large_reads) {
    for (const std::uint64_t chunk : {64_KiB, 1_MiB}) {
        fragments of{40_MiB, 256_MiB, chunk};
        walk_slowly(of, 0, 40_MiB, 64_KiB);
        BOOST_TEST(of.source->bytes == 40_MiB);
        BOOST_TEST(of.sum().reads < 40u);
    }
}

// Each owner reads its part of a window, and is asked for it at once.
BOOST_AUTO_TEST_CASE(over_small_chunks_of_several_shards_streams_ask_ahead_too) {
    for (const std::uint64_t chunk : {64_KiB, 1_MiB}) {
        fragments of{40_MiB, 512_MiB, chunk, 3};
        walk_slowly(of, 0, 1_MiB, 64_KiB);
        const cache_statistics before = of.sum();
        walk_slowly(of, 1_MiB, 40_MiB, 64_KiB);
        BOOST_TEST(of.sum().demand_reads - before.demand_reads < 8u);
        // Nothing is asked for again at each miss.
        BOOST_TEST(of.sum().misses - before.misses < 3 * 39_MiB / 64_KiB);
        BOOST_TEST(of.source->bytes == 40_MiB);
    }
}

BOOST_AUTO_TEST_CASE(requests_of_whole_small_chunks_find_none_of_which_a_part_is_there) {
    fragments of{100_MiB, 64_MiB, 1_MiB};
    walk_slowly(of, 0, 100_MiB, 1_MiB);
    BOOST_TEST(of.source->bytes == 100_MiB);
}

BOOST_AUTO_TEST_CASE(a_walk_reads_nothing_behind_its_end) {
    // By windows, and by whole chunks.
    for (const std::uint64_t memory : {24_MiB, 64_MiB, 256_MiB}) {
        fragments of{64_MiB, memory, 10_MiB};
        of.owner.run([](fragments& with) -> task<> {
            slice_stream walk =
                with.manager.slices(with.from, 3_MiB, 20_MiB + 100, {.slice_size = 65'536});
            for (;;) {
                const slice next = co_await walk.next();
                if (!next) break;
                for (int i = 0; i < 3; ++i) co_await yield{};
            }
        }(of));
        of.settle();
        BOOST_TEST(end_of(of.reads()) <= 23_MiB + 64_KiB);
    }
}

// The first ones take what there is when they are alone.
BOOST_AUTO_TEST_CASE(walks_that_begin_one_after_the_other_read_no_byte_twice) {
    fragments of{320_MiB, 160_MiB + 1_MiB, 10_MiB};
    of.owner.run([](fragments& with) -> task<> {
        std::vector<slice_stream> walks;
        for (std::uint64_t i = 0; i < 8; ++i)
            walks.push_back(
                with.manager.slices(with.from, i * 40_MiB, 40_MiB, {.slice_size = 65'536}));
        for (std::uint64_t at = 0; at < 40_MiB; at += 64_KiB) {
            for (slice_stream& one : walks) {
                const slice next = co_await one.next();
                for (;;) {
                    const cache_statistics now = co_await with.manager.statistics();
                    if (now.filling_chunks == 0 && now.waiting == 0) break;
                    co_await leat::yield{};
                }
            }
        }
    }(of));
    BOOST_TEST(of.source->bytes <= 320_MiB + 16_MiB);
}

BOOST_AUTO_TEST_CASE(a_walk_that_is_dropped_asks_for_nothing_more) {
    fragments of{64_MiB, 64_MiB, 10_MiB};
    of.owner.run([](fragments& with) -> task<> {
        slice_stream walk =
            with.manager.slices(with.from, 0, with.from.size(), {.slice_size = 65'536});
        for (int i = 0; i < 20; ++i) const slice next = co_await walk.next();
    }(of));
    of.settle();
    const std::uint64_t read = of.source->bytes;
    const std::uint64_t end = end_of(of.reads());
    // Another goes on where it has stopped, up to what is there.
    walk_slowly(of, 20 * 64_KiB, end, 64_KiB);
    BOOST_TEST(of.source->bytes == read);
}

BOOST_AUTO_TEST_CASE(what_is_read_ahead_waits_for_its_reader_while_others_read) {
    fragments of{64_MiB, 24_MiB, 10_MiB};
    walk_slowly(of, 0, 4_MiB, 64_KiB);
    const std::uint64_t end = end_of(of.reads());
    BOOST_TEST(end > 4_MiB);
    // Half as much as the memory, here and there.
    for (std::uint64_t i = 0; i < 180; ++i) BOOST_TEST(of.right(20_MiB + i * 192_KiB, 64_KiB));
    const std::uint64_t read = of.source->bytes;
    for (std::uint64_t at = 4_MiB; at < end; at += 64_KiB) BOOST_TEST(of.right(at, 4_KiB));
    const extent_reads later = of.reads();
    for (const extent_read& one : later) BOOST_TEST(one.offset >= end);
    BOOST_TEST(of.source->bytes >= read);
}

BOOST_AUTO_TEST_CASE(what_nobody_comes_to_makes_room_in_the_end) {
    fragments of{256_MiB, 24_MiB, 10_MiB};
    walk_slowly(of, 0, 4_MiB, 64_KiB);
    // Twice the memory by others, of whom each comes again.
    for (int round = 0; round < 3; ++round) {
        for (std::uint64_t i = 0; i < 400; ++i) BOOST_TEST(of.right(20_MiB + i * 192_KiB, 64_KiB));
    }
    (void)of.reads();
    BOOST_TEST(of.right(4_MiB + 64_KiB, 4_KiB));
    BOOST_TEST(!of.reads().empty());
}

BOOST_AUTO_TEST_CASE(slices_that_are_held_leave_streams_a_smaller_share) {
    const auto mean_read = [](bool hold) {
        fragments of{256_MiB, 24_MiB, 10_MiB};
        std::vector<slice> held;
        for (std::uint64_t i = 0; i < 300; ++i) {
            slice one = of.get(100_MiB + i * 192_KiB, 64_KiB);
            if (hold) held.push_back(std::move(one));
        }
        walk_slowly(of, 0, 30_MiB, 64_KiB);
        const cache_statistics before = of.sum();
        walk_slowly(of, 30_MiB, 60_MiB, 64_KiB);
        return 30_MiB / (of.sum().reads - before.reads);
    };
    BOOST_TEST(mean_read(true) <= 3_MiB);
    BOOST_TEST(mean_read(false) >= 4_MiB);
}

namespace {

task<slice> first_of_walk(chunk_manager& manager, file from, std::uint64_t at) {
    slice_stream walk = manager.slices(from, at, at + 10_MiB, {.slice_size = 2 * MiB});
    co_return co_await walk.next();
}

task<> let_go(std::vector<slice>& held) {
    held.clear();
    co_return;
}

}  // namespace

// Chunks that walks have brought fill the memory, and are pinned by hits.
BOOST_AUTO_TEST_CASE(who_waits_for_what_was_read_ahead_is_served_when_its_pins_are_dropped) {
    fragments of{200_MiB, 20_MiB, 10_MiB, 1, {.pin_deadline = std::chrono::seconds{20}}};
    std::vector<slice> held;
    for (const std::uint64_t at : {0_MiB, 10_MiB}) {
        BOOST_TEST(of.owner.run(first_of_walk(of.manager, of.from, at)).size() != 0u);
        of.settle();
    }
    for (const std::uint64_t at : {0_MiB, 10_MiB}) held.push_back(of.get(at, 2_MiB));
    const chunk_config at_once = of.at(150_MiB, 2_MiB, hint::no_wait);
    BOOST_TEST(of.owner.run(test::code_of(of.manager, at_once)) == errc::all_pinned);
    auto waiting = of.owner.spawn_on(0, test::code_of(of.manager, of.at(150_MiB, 2_MiB)));
    while (of.sum().waiting != 1) std::this_thread::yield();
    of.owner.run(let_go(held));
    BOOST_TEST(!waiting.get());
}

BOOST_AUTO_TEST_CASE(readers_who_have_stopped_leave_their_memory_to_others) {
    fragments of{200_MiB, 20_MiB, 10_MiB, 1, {.pin_deadline = std::chrono::seconds{20}}};
    for (const std::uint64_t at : {0_MiB, 10_MiB}) {
        BOOST_TEST(!of.code(at, 64_KiB));
        BOOST_TEST(!of.code(at + 64_KiB, 2_MiB - 4_KiB));
        of.settle();
        BOOST_TEST(!of.code(at + 3_MiB, 64_KiB));
    }
    BOOST_TEST(!of.owner.run(test::code_of(of.manager, of.at(150_MiB, 2_MiB))));
    BOOST_TEST(!of.code(100_MiB, 64_KiB));
}

BOOST_AUTO_TEST_SUITE_END()
