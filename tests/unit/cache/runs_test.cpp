// What is read for misses that go on where others ended.
#include "runs_support.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(runs_test)

using namespace leat::literals;
using leat::detail::fragment_size;
using leat::detail::runs;
using leat::detail::stretch_of;
using leat::test::misses;

// Two windows of 5 MiB rather than three of 3.3 where the share is 3.75 MiB.
BOOST_AUTO_TEST_CASE(a_window_may_have_a_third_more_than_the_share) {
    misses some{240_MiB};
    for (std::uint64_t i = 0; i < 32; ++i) {
        some.file = i;
        static_cast<void>(some.known(0, 64_KiB, 10_MiB));
    }
    some.file = 0;
    BOOST_TEST(some.of.share() == 240_MiB / 64);
    BOOST_TEST(some.known(10_MiB, 64_KiB, 10_MiB) == 5_MiB);
    BOOST_TEST(some.known(15_MiB, 64_KiB, 5_MiB) == 5_MiB);
}

BOOST_AUTO_TEST_CASE(nothing_is_read_behind_the_end_of_a_walk) {
    misses some{1_GiB};
    const auto walk = [&](std::uint64_t offset, std::uint64_t end) {
        runs::miss one = some.at(offset, 64_KiB);
        one.known = end - offset;
        one.ends = true;
        return some.of.window(one);
    };
    constexpr std::uint64_t end = 12_MiB + 300_KiB;
    static_cast<void>(some.stream(0, 4_KiB));
    const std::uint64_t first = walk(5_MiB, end);
    BOOST_TEST(first == 5_MiB);
    BOOST_TEST(walk(10_MiB, end) == 2_MiB + 320_KiB);
    BOOST_TEST(some.brought(10_MiB, 2_MiB + 320_KiB) != 0u);
    BOOST_TEST(some.ahead(12_MiB).size == 0u);
    // Nor is it asked for ahead.
    some.file = 2;
    BOOST_TEST(walk(5_MiB, 10_MiB + 300_KiB) == 5_MiB);
    BOOST_TEST(some.brought(5_MiB, 5_MiB) != 0u);
    const auto next = some.ahead(8_MiB);
    BOOST_TEST(next.begin == 10_MiB);
    BOOST_TEST(next.size == 320_KiB);
}

BOOST_AUTO_TEST_CASE(a_window_has_no_more_than_its_reader_comes_through_before_it_goes) {
    constexpr std::int64_t second = 1'000'000'000;
    std::uint64_t reach = 100_KiB;
    misses some{1_GiB};
    const auto walk = [&](std::uint64_t offset, std::int64_t now, bool ends = true) {
        runs::miss one = some.at(offset, 4_KiB);
        one.known = 8_MiB - offset;
        one.ends = ends;
        one.reach = reach;
        one.now = now;
        one.turnover = 10 * second;
        return some.of.window(one);
    };
    // Nothing is known of him: as others, and whole fragments.
    BOOST_TEST(walk(0, second) == 64_KiB);
    // Much quicker: a fragment in a tenth of the time, and later 160 KiB.
    BOOST_TEST(walk(64_KiB, 2 * second) == 640_KiB);
    BOOST_TEST(some.of.reach() == 640_KiB);
    BOOST_TEST(some.of.quick());
    BOOST_TEST(walk(704_KiB, 6 * second) == 1600_KiB);
    BOOST_TEST(walk(2304_KiB, 6 * second + 1) == 8_MiB - 2304_KiB);
    // Hardly quicker, and slower: as others.
    for (const std::int64_t seconds : {3, 3600}) {
        ++some.file;
        BOOST_TEST(walk(0, second) == 64_KiB);
        BOOST_TEST(walk(64_KiB, seconds * second) == 64_KiB);
        BOOST_TEST(some.of.reach() == 100_KiB);
        BOOST_TEST(!some.of.quick());
    }
    // One large request has all at once; and so has who walks where others come far.
    ++some.file;
    BOOST_TEST(walk(0, second, false) == 8_MiB);
    ++some.file;
    reach = 1_MiB;
    BOOST_TEST(walk(0, second) == 8_MiB);
    ++some.file;
    BOOST_TEST(some.known(0, 4_KiB, 8_MiB) == 8_MiB);
}

BOOST_AUTO_TEST_CASE(windows_over_small_chunks_end_at_their_borders) {
    misses some{1_GiB, 1_MiB};
    std::uint64_t offset = 0;
    for (int i = 0; i < 40; ++i) {
        const std::uint64_t window = some.miss(offset, 4_KiB);
        const std::uint64_t end = some.next_of(offset, window);
        BOOST_TEST((end % 1_MiB == 0 || end / 1_MiB == offset / 1_MiB));
        offset = end;
    }
    const std::uint64_t window = some.stream(offset, 1_MiB);
    BOOST_TEST((offset + window) % 1_MiB == 0u);
    BOOST_TEST(window > 1_MiB);
}

BOOST_AUTO_TEST_CASE(who_happens_to_go_on_is_no_stream_yet) {
    misses some{1_GiB};
    static_cast<void>(some.miss(0));
    BOOST_TEST(!some.of.of_stream());
    // The rest of the fragment, and the next ones.
    for (const std::uint64_t offset : {8_KiB, 64_KiB, 128_KiB}) {
        BOOST_TEST(some.miss(offset) > 4_KiB);
        BOOST_TEST(!some.of.of_stream());
    }
    BOOST_TEST(some.miss(192_KiB) > 64_KiB);
    BOOST_TEST(some.of.of_stream());
    static_cast<void>(some.miss(1_GiB));
    BOOST_TEST(!some.of.of_stream());
}

BOOST_AUTO_TEST_CASE(who_says_that_he_goes_on_is_a_stream_at_once) {
    misses some{1_GiB};
    static_cast<void>(some.stream(0));
    BOOST_TEST(some.of.of_stream());
    static_cast<void>(some.known(1_GiB, 4_KiB, 320_KiB));
    BOOST_TEST(some.of.of_stream());
    // Perhaps the request crosses the border of its fragment.
    for (const std::uint64_t known : {4_KiB, 8_KiB, 256_KiB}) {
        static_cast<void>(some.known(2_GiB, 4_KiB, known));
        BOOST_TEST(!some.of.of_stream());
    }
    runs::miss walk = some.at(3_GiB, 4_KiB);
    walk.known = 8_KiB;
    walk.ends = true;
    static_cast<void>(some.of.window(walk));
    BOOST_TEST(some.of.of_stream());
}

BOOST_AUTO_TEST_CASE(alone_a_miss_brings_what_was_asked_for) {
    misses some{1_GiB};
    for (std::uint64_t i = 0; i < 1000; ++i) {
        const std::uint64_t offset = i * 5_MiB + i % 16 * 4_KiB;
        BOOST_TEST(some.miss(offset, 4_KiB) == 4_KiB);
    }
    BOOST_TEST(some.miss(9_GiB, 1) == 1u);
    BOOST_TEST(some.miss(10_GiB + 60_KiB, 100_KiB) == 100_KiB);
}

BOOST_AUTO_TEST_CASE(one_that_goes_on_in_its_fragment_or_in_the_next_brings_the_rest_of_it) {
    misses some{1_GiB};
    BOOST_TEST(some.miss(0) == 4_KiB);
    BOOST_TEST(some.miss(8_KiB) == 56_KiB);
    BOOST_TEST(some.miss(64_KiB) == 64_KiB);
    BOOST_TEST(some.miss(128_KiB + 100, 8_KiB) == 64_KiB - 100);
    // In the next one, but not at its beginning, it is no run.
    misses other{1_GiB};
    other.miss(0, 64_KiB);
    BOOST_TEST(other.miss(64_KiB + 4_KiB, 8_KiB) == 8_KiB);
    // Nor where the only one before had little of its fragment, and nothing else was read of it.
    misses third{1_GiB};
    third.miss(0);
    BOOST_TEST(third.miss(64_KiB) == 4_KiB);
    third.miss(1_MiB + 60_KiB);
    BOOST_TEST(third.miss(1_MiB + 64_KiB) == 64_KiB);
    third.miss(2_MiB);
    static_cast<void>(third.brought(2_MiB, 64_KiB));
    BOOST_TEST(third.miss(2_MiB + 64_KiB) == 64_KiB);
    // To the end of the last fragment that it touches.
    BOOST_TEST(some.miss(192_KiB - 100, 200) == 64_KiB + 100);
}

BOOST_AUTO_TEST_CASE(one_that_leaves_a_fragment_out_or_goes_back_is_alone) {
    misses some{1_GiB};
    some.miss(640_KiB);
    BOOST_TEST(some.miss(768_KiB) == 4_KiB);
    BOOST_TEST(some.miss(576_KiB) == 4_KiB);
}

BOOST_AUTO_TEST_CASE(runs_of_different_files_are_told_apart) {
    misses some{1_GiB};
    some.miss(0, 64_KiB);
    some.file = 2;
    BOOST_TEST(some.miss(64_KiB) == 4_KiB);
    some.file = 1;
    BOOST_TEST(some.miss(64_KiB) == 64_KiB);
}

BOOST_AUTO_TEST_CASE(four_fragments_make_a_stream_that_begins_with_a_quarter_of_a_MiB) {
    misses some{1_GiB};
    BOOST_TEST(some.miss(60_KiB) == 4_KiB);
    BOOST_TEST(some.miss(64_KiB) == 64_KiB);
    BOOST_TEST(some.miss(128_KiB) == 64_KiB);
    BOOST_TEST(some.of.streams() == 0u);
    BOOST_TEST(some.miss(192_KiB) == 256_KiB);
    BOOST_TEST(some.of.streams() == 1u);
    BOOST_TEST(some.miss(448_KiB + 4_KiB) == 316_KiB);
    BOOST_TEST(some.of.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(misses_in_one_fragment_make_no_stream_however_many) {
    misses some{1_GiB};
    some.miss(0);
    for (int i = 0; i < 100; ++i) BOOST_TEST(some.miss(4_KiB) == 60_KiB);
    BOOST_TEST(some.of.streams() == 0u);
}

BOOST_AUTO_TEST_CASE(a_stream_reads_more_and_more_in_proportion_to_what_it_has_read) {
    misses some{8_GiB, 1_GiB};
    std::uint64_t offset = some.read_on(0, 3);
    std::uint64_t before = 0;
    unsigned count = 0;
    while (offset < 256_MiB) {
        const std::uint64_t window = some.miss(offset);
        BOOST_TEST(window + fragment_size >= before);
        BOOST_TEST(window <= std::max<std::uint64_t>(256_KiB, offset * 5 / 8 + fragment_size));
        before = window;
        offset += window;
        ++count;
    }
    // As much as one read brings.
    BOOST_TEST(before + fragment_size >= 10_MiB);
    BOOST_TEST(count < 40u);
}

BOOST_AUTO_TEST_CASE(a_window_ends_with_its_chunk_and_the_next_goes_on) {
    misses some{1_GiB, 10_MiB};
    std::uint64_t offset = some.read_on(0, 3);
    bool met = false;
    while (offset < 640_MiB) {
        const std::uint64_t window = some.miss(offset);
        BOOST_TEST(offset % 10_MiB + window <= 10_MiB);
        met = met || (offset % 10_MiB == 0 && window == 10_MiB);
        offset += window;
    }
    // From the start of a chunk on all of it.
    BOOST_TEST(met);
    BOOST_TEST(some.miss(offset) == 10_MiB);
    BOOST_TEST(some.of.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(a_request_that_is_larger_than_the_window_is_read_as_it_is) {
    misses some{1_GiB};
    const std::uint64_t offset = some.read_on(0, 4);
    BOOST_TEST(some.miss(offset, 1_MiB) == 1_MiB);
    BOOST_TEST(some.miss(5_GiB, 700_KiB) == 700_KiB);
}

BOOST_AUTO_TEST_CASE(who_says_that_it_is_a_stream_is_one_at_once) {
    misses some{1_GiB};
    BOOST_TEST(some.stream(8_KiB) == 248_KiB);
    BOOST_TEST(some.of.streams() == 1u);
    BOOST_TEST(some.miss(256_KiB) == 256_KiB);
    BOOST_TEST(some.of.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(half_of_the_memory_is_divided_by_the_streams) {
    misses some{64_MiB};
    BOOST_TEST(some.of.share() == 32_MiB);
    for (std::uint64_t i = 0; i < 16; ++i) some.stream(i * 1_GiB);
    BOOST_TEST(some.of.streams() == 16u);
    BOOST_TEST(some.of.share() == 2_MiB);
}

BOOST_AUTO_TEST_CASE(
    windows_exceed_the_share_by_a_third_at_most_and_a_share_is_a_fragment_at_least) {
    misses some{16_MiB};
    std::vector<std::uint64_t> offsets;
    for (std::uint64_t i = 0; i < 50; ++i) offsets.push_back(i * 1_GiB);
    for (std::uint64_t& offset : offsets) offset += some.stream(offset);
    for (int round = 0; round < 5; ++round) {
        for (std::uint64_t& offset : offsets) {
            const std::uint64_t before = some.of.share();
            const std::uint64_t window = some.miss(offset);
            // Its own place among the streams may have been forgotten.
            BOOST_TEST(window <= std::max(before, 16_MiB / 2 / some.of.streams() * 4 / 3));
            BOOST_TEST(window >= fragment_size);
            offset += window;
        }
    }
    misses tiny{1_MiB};
    for (std::uint64_t i = 1; i < 9; ++i) tiny.stream(i * 1_GiB);
    BOOST_TEST(tiny.of.share() == fragment_size);
    BOOST_TEST(tiny.stream(0) <= fragment_size);
    BOOST_TEST(tiny.stream(64_KiB) == fragment_size);
}

BOOST_AUTO_TEST_CASE(
    streams_that_have_ended_count_no_more_once_others_have_read_as_much_as_the_memory) {
    misses some{64_MiB};
    for (std::uint64_t i = 0; i < 10; ++i) some.stream(i * 1_GiB);
    BOOST_TEST(some.of.streams() == 10u);
    // Others, each alone.
    std::uint64_t read = 0;
    for (std::uint64_t i = 0; read < 32_MiB; ++i) {
        some.miss((100 + i) * 1_GiB, 64_KiB);
        read += 64_KiB;
    }
    BOOST_TEST(some.of.streams() == 10u);
    for (std::uint64_t i = 0; read < 64_MiB + 10 * 256_KiB; ++i) {
        some.miss((10'000 + i) * 1_GiB, 64_KiB);
        read += 64_KiB;
    }
    BOOST_TEST(some.of.streams() < 10u);
    some.miss(1_GiB * 100'000, 64_KiB);
    BOOST_TEST(some.of.streams() == 0u);
    BOOST_TEST(some.of.share() == 32_MiB);
    // Their runs are known for longer, and count again when they go on.
    BOOST_TEST(some.miss(256_KiB) > 64_KiB);
    BOOST_TEST(some.of.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(the_last_4096_runs_are_known_and_the_one_unused_for_the_longest_is_forgotten) {
    for (const std::uint64_t memory : {1_MiB, 64_GiB}) {
        misses some{memory};
        constexpr std::uint64_t count = 4096;
        for (std::uint64_t i = 0; i < count; ++i) some.miss(i * 1_GiB, 64_KiB);
        // The first goes on, so the second is the oldest.
        BOOST_TEST(some.miss(64_KiB) == 64_KiB);
        some.miss(count * 1_GiB);
        BOOST_TEST(some.miss(2 * 1_GiB + 64_KiB) == 64_KiB);
        BOOST_TEST(some.miss(128_KiB) == 64_KiB);
        BOOST_TEST(some.miss((count - 1) * 1_GiB + 64_KiB) == 64_KiB);
        BOOST_TEST(some.miss(1_GiB + 64_KiB) == 4_KiB);
    }
}

BOOST_AUTO_TEST_CASE(what_is_known_to_come_is_read_as_far_as_the_share_and_the_chunk_reach) {
    misses some{1_GiB};
    BOOST_TEST(some.known(4_KiB, 4_KiB, 1_MiB) == 1_MiB + 60_KiB);
    BOOST_TEST(some.known(30_MiB + 4_KiB, 4_KiB, 60_KiB) == 60_KiB);
    BOOST_TEST(some.known(9_MiB, 64_KiB, 5_MiB) == 1_MiB);
    BOOST_TEST(some.known(20_MiB, 64_KiB, 10_MiB) == 10_MiB);
    BOOST_TEST(some.of.streams() == 3u);  // those who know more than a few fragments
    for (std::uint64_t i = 1; i <= 1021; ++i) some.stream(i * 1_GiB);
    BOOST_TEST(some.of.share() == 512_KiB);
    // And a third more, so that all windows of the chunk are of one size.
    BOOST_TEST(some.known(4_KiB, 4_KiB, 10_MiB - 4_KiB) == 636_KiB);
    BOOST_TEST(some.known(0, 1_MiB, 10_MiB) == 1_MiB);
}

BOOST_AUTO_TEST_CASE(behind_what_was_known_to_come_a_run_goes_on) {
    misses some{1_GiB};
    some.known(0, 4_KiB, 128_KiB);
    BOOST_TEST(some.miss(128_KiB) == 64_KiB);
    // By larger and larger reads, as if they had been asked for piece by piece.
    for (std::uint64_t at = 192_KiB; at < 1_MiB; at += 128_KiB) {
        const std::uint64_t window = some.known(at, 64_KiB, 128_KiB);
        BOOST_TEST(window >= 128_KiB);
    }
    BOOST_TEST(some.of.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(a_miss_inside_what_was_to_be_read_has_the_rest_of_that_and_is_no_other_run) {
    misses some{1_GiB};
    std::uint64_t offset = some.read_on(0, 3);
    const std::uint64_t window = some.miss(offset);
    for (std::uint64_t in = 0; in < window; in += 16_KiB)
        BOOST_TEST(some.miss(offset + in, 16_KiB) == window - in);
    BOOST_TEST(some.of.streams() == 1u);
    // And behind it goes on.
    BOOST_TEST(some.miss(offset + window) >= window);
    BOOST_TEST(some.of.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(a_miss_inside_what_was_asked_for_at_once_is_alone) {
    misses some{1_GiB};
    some.miss(20_MiB, 10_MiB);
    for (std::uint64_t at = 20_MiB; at < 29_MiB; at += 200_KiB) BOOST_TEST(some.miss(at) == 4_KiB);
    BOOST_TEST(some.of.streams() == 0u);
}

BOOST_AUTO_TEST_CASE(a_miss_where_a_stream_has_been_is_alone) {
    misses some{1_GiB};
    // Whole chunks of which one happens to follow another make a stream.
    some.miss(20_MiB, 10_MiB);
    some.miss(30_MiB, 10_MiB);
    BOOST_TEST(some.of.streams() == 1u);
    for (std::uint64_t at = 30_MiB; at < 39_MiB; at += 200_KiB) BOOST_TEST(some.miss(at) == 4_KiB);
    BOOST_TEST(some.of.streams() == 1u);
    // Its reader goes on, and so does one who comes back to where it has stopped.
    const std::uint64_t window = some.miss(40_MiB);
    BOOST_TEST(window == 10_MiB);
    BOOST_TEST(some.miss(40_MiB) == window);
    BOOST_TEST(some.miss(41_MiB) == window - 1_MiB);
    BOOST_TEST(some.miss(40_MiB + 128_KiB) == 4_KiB);
}

BOOST_AUTO_TEST_CASE(records_that_cross_a_fragment_are_no_streams) {
    misses some{1_GiB};
    for (std::uint64_t i = 0; i < 1000; ++i)
        BOOST_TEST(some.miss(i * 10_MiB + 60_KiB, 8_KiB) == 8_KiB);
    BOOST_TEST(some.of.streams() == 0u);
    BOOST_TEST(some.of.share() == 512_MiB);
}

BOOST_AUTO_TEST_CASE(what_is_pinned_is_not_divided) {
    misses some{64_MiB};
    some.stream(0);
    BOOST_TEST(some.of.share() == 32_MiB);
    some.of.set_pinned(48_MiB);
    BOOST_TEST(some.of.share() == 8_MiB);
    some.of.set_pinned(80_MiB);
    BOOST_TEST(some.of.share() == fragment_size);
    some.of.set_pinned(0);
    BOOST_TEST(some.of.share() == 32_MiB);
}

BOOST_AUTO_TEST_SUITE_END()
