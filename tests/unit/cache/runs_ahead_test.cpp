// What streams ask for ahead, and what becomes of it.
#include "runs_support.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(runs_ahead_test)

using namespace leat::literals;
using leat::detail::fragment_size;
using leat::detail::runs;
using leat::detail::stretch_of;
using leat::test::misses;

BOOST_AUTO_TEST_CASE(a_stream_asks_ahead_once_when_its_reader_comes_to_the_mark) {
    misses some{1_GiB};
    const std::uint64_t offset = some.read_on(0, 3);
    BOOST_TEST(some.miss(offset) == 256_KiB);
    BOOST_TEST(!some.due(offset + 200_KiB));
    // In the middle of what has come.
    BOOST_TEST(some.brought(offset, 256_KiB) == offset + 128_KiB);
    BOOST_TEST(!some.due(offset + 128_KiB));
    BOOST_TEST(some.due(offset + 132_KiB));
    const auto next = some.ahead(offset + 132_KiB);
    BOOST_TEST(next.begin == offset + 256_KiB);
    BOOST_TEST(next.size == 256_KiB);
    BOOST_TEST(some.ahead(offset + 136_KiB).size == 0u);
    // Its own mark is the next one.
    BOOST_TEST(some.brought(next.begin, next.size) == next.begin + 128_KiB);
    BOOST_TEST(!some.due(offset + 240_KiB));
    BOOST_TEST(some.due(next.begin + 132_KiB));
    BOOST_TEST(some.of.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(nothing_is_asked_ahead_behind_the_end_of_a_file) {
    misses some{1_GiB};
    const std::uint64_t offset = some.read_on(0, 3);
    some.miss(offset);
    some.brought(offset, 256_KiB);
    some.file_size = offset + 300_KiB;
    BOOST_TEST(some.ahead(offset + 132_KiB).size == 44_KiB);
    some.brought(offset + 256_KiB, 44_KiB);
    BOOST_TEST(some.ahead(offset + 290_KiB).size == 0u);
}

BOOST_AUTO_TEST_CASE(a_stream_that_does_not_find_what_was_read_for_it_starts_small_again) {
    misses some{1_GiB};
    std::uint64_t offset = some.read_on(0, 3);
    while (offset < 8_MiB) {
        const std::uint64_t window = some.miss(offset);
        some.brought(offset, window);
        offset += window;
    }
    const std::uint64_t window = some.miss(offset);
    BOOST_TEST(window > 1_MiB);
    some.brought(offset, window);
    // Of what was there it misses some, and the owner has to read it again.
    const std::uint64_t lost = offset + 128_KiB;
    const std::uint64_t rest = some.miss(lost);
    BOOST_TEST(rest == window - 128_KiB);
    some.brought(lost, rest);
    BOOST_TEST(some.miss(lost + rest) <= std::max<std::uint64_t>(256_KiB, rest));
    BOOST_TEST(some.of.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(a_window_is_smaller_when_what_was_read_ahead_goes_unread) {
    const auto next = [](bool unread) {
        misses some{1_GiB, 1_GiB};
        const std::uint64_t offset = some.read_on(0, 10);
        if (unread) some.of.unread(some.file, offset, some.stretch);
        return some.miss(offset);
    };
    BOOST_TEST(next(true) < next(false) * 2 / 3);
}

BOOST_AUTO_TEST_CASE(what_ends_counts_no_more_and_is_not_asked_ahead_for) {
    misses some{1_GiB};
    const std::uint64_t offset = some.read_on(0, 3);
    some.miss(offset);
    some.brought(offset, 256_KiB);
    some.of.ended(some.file, offset + 200_KiB, some.stretch);
    BOOST_TEST(some.of.streams() == 0u);
    BOOST_TEST(!some.due(offset + 200_KiB));
}

BOOST_AUTO_TEST_CASE(with_a_walk_all_runs_end_in_which_it_has_ended) {
    misses some{1_GiB};
    static_cast<void>(some.known(20_MiB, 64_KiB, 10_MiB));
    static_cast<void>(some.known(10_MiB, 64_KiB, 10_MiB));
    // What is asked for ahead makes one of them reach as far as the other.
    some.of.asked(some.file, 10_MiB, 20_MiB, 30_MiB, some.stretch);
    BOOST_REQUIRE(some.of.streams() == 2u);
    some.of.ended(some.file, 30_MiB, some.stretch);
    BOOST_TEST(some.of.streams() == 0u);
}

BOOST_AUTO_TEST_CASE(windows_go_on_over_small_chunks) {
    BOOST_TEST(stretch_of(64_KiB) == 10_MiB);
    BOOST_TEST(stretch_of(3_MiB) == 9_MiB);
    BOOST_TEST(stretch_of(10_MiB) == 10_MiB);
    BOOST_TEST(stretch_of(64_MiB) == 64_MiB);
    misses some{1_GiB, 64_KiB};
    const std::uint64_t offset = some.read_on(0, 3);
    BOOST_TEST(some.miss(offset) == 256_KiB);
}

BOOST_AUTO_TEST_CASE(who_walks_and_asks_ahead_keeps_his_run_when_he_misses) {
    misses some{1_GiB};
    static_cast<void>(some.known(0, 64_KiB, 500_MiB));
    // Three chunks ahead of each that he comes to, as far as he gets.
    std::uint64_t asked = 10_MiB;
    for (std::uint64_t at = 0; at < 200_MiB; at += 10_MiB) {
        for (; asked <= at + 30_MiB; asked += 10_MiB)
            some.of.asked(some.file, at, asked, asked + 10_MiB, some.stretch);
        // He is faster than the device.
        static_cast<void>(some.known(at + 3_MiB, 64_KiB, 500_MiB - at));
        static_cast<void>(some.known(at + 7_MiB, 64_KiB, 500_MiB - at));
        BOOST_TEST(some.of.streams() == 1u);
        // Whoever else asks for a page there goes through nothing.
        BOOST_TEST(some.miss(at + 5_MiB, 4_KiB) == 4_KiB);
        BOOST_TEST(some.miss(at + 25_MiB + 8_KiB, 4_KiB) == 4_KiB);
        BOOST_TEST(some.of.streams() == 1u);
    }
    some.of.ended(some.file, 199_MiB, some.stretch);
    BOOST_TEST(some.of.streams() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
