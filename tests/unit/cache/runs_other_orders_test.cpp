// Runs that go backwards, or by steps.
#include "runs_support.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(runs_other_orders_test)

using namespace leat::literals;
using leat::detail::fragment_size;
using leat::detail::runs;
using leat::detail::stretch_of;
using leat::test::misses;

BOOST_AUTO_TEST_CASE(who_goes_backwards_is_asked_for_what_lies_before) {
    for (const std::uint64_t step : {64_KiB, 16_KiB, 128_KiB, 100_KiB}) {
        misses some{512_MiB};
        constexpr std::uint64_t top = 1_GiB + 48_KiB;
        std::uint64_t at = top;
        std::uint64_t longest = 0;
        for (unsigned windows = 0; windows < 20;) {
            at -= step;
            const std::uint64_t read = some.miss(at, step);
            const runs::next_window* const front = some.of.in_front();
            if (top - at < 2 * std::max(step, fragment_size)) BOOST_TEST(front == nullptr);
            if (front == nullptr) continue;
            BOOST_TEST(read > step);  // it is a stream
            if (front->size == 0) continue;
            ++windows;
            BOOST_TEST(front->begin + front->size == at / fragment_size * fragment_size);
            BOOST_TEST(front->begin / 10_MiB == (front->begin + front->size - 1) / 10_MiB);
            longest = std::max(longest, front->size);
            // All that is a hit then.
            at -= at % fragment_size + front->size / step * step;
            if (at < front->begin + step) at = front->begin;
        }
        BOOST_TEST(longest > 9_MiB);
    }
}

// As misses at random in a file of a few GiB do.
BOOST_AUTO_TEST_CASE(who_comes_to_lie_before_others_at_unequal_distances_goes_nowhere) {
    misses some{512_MiB};
    std::uint64_t fragment = 5_GiB / fragment_size;
    for (const std::uint64_t page : {3, 8, 12, 2}) {
        BOOST_TEST(some.miss(--fragment * fragment_size + page * 4_KiB) == 4_KiB);
        BOOST_TEST(some.of.in_front() == nullptr);
    }
    BOOST_TEST(some.of.streams() == 0U);
}

BOOST_AUTO_TEST_CASE(who_goes_backwards_by_equal_steps_is_asked_for_what_lies_before) {
    for (const std::uint64_t step : {10_KiB, 12_KiB, 20_KiB, 24_KiB, 60_KiB, 64_KiB, 68_KiB}) {
        misses some{512_MiB};
        std::uint64_t at = 1_GiB + 40_KiB;
        static_cast<void>(some.miss(at));
        const std::uint64_t end = at - 2 * std::max(step, fragment_size);
        while (some.of.in_front() == nullptr && at > end) static_cast<void>(some.miss(at -= step));
        BOOST_TEST(some.of.in_front() != nullptr, step);
    }
}

// From the fifth fragment on, as what misses at random hardly do.
BOOST_AUTO_TEST_CASE(who_goes_backwards_by_any_steps_is_seen_later) {
    misses some{512_MiB};
    std::uint64_t fragment = 5_GiB / fragment_size;
    for (const std::uint64_t page : {3, 8, 12, 2, 11, 5, 0}) {
        static_cast<void>(some.miss(--fragment * fragment_size + page * 4_KiB));
        const bool seen = 5_GiB / fragment_size - fragment > 4;
        BOOST_TEST((some.of.in_front() != nullptr) == seen);
    }
}

// Of the fragments between he asks for nothing.
BOOST_AUTO_TEST_CASE(who_goes_backwards_over_fragments_has_no_more_read_than_he_asks_for) {
    for (const std::uint64_t step : {72_KiB, 88_KiB, 96_KiB, 124_KiB}) {
        misses some{512_MiB};
        std::uint64_t at = 1_GiB + 40_KiB;
        for (int i = 0; i < 200; ++i, at -= step) {
            const std::uint64_t read = some.miss(at);
            const runs::next_window* const front = some.of.in_front();
            if (front == nullptr || front->size == 0) {
                BOOST_TEST(read == 4_KiB);
                continue;
            }
            while (at - step >= front->begin) at -= step;  // hits
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_read_for_him_is_no_more_than_his_share_and_ends_with_the_file) {
    misses some{16_MiB};
    std::uint64_t at = 30_MiB;
    while (at != 0) {
        at -= 64_KiB;
        static_cast<void>(some.miss(at, 64_KiB));
        const runs::next_window* const front = some.of.in_front();
        if (front == nullptr) continue;
        BOOST_TEST(front->size <= some.of.share() + some.of.share() / 3);
        BOOST_TEST(front->size <= at);
        at -= front->size;
    }
    BOOST_TEST(some.of.streams() == 1U);
}

BOOST_AUTO_TEST_CASE(from_the_fourth_of_equal_steps_on_what_lies_between_is_read) {
    for (const std::uint64_t step :
         {8_KiB, 48_KiB, 64_KiB, 72_KiB, std::uint64_t{100'000}, 124_KiB}) {
        misses some{512_MiB};
        std::uint64_t at = 100_MiB;
        const auto asks = [&] { return some.miss(std::exchange(at, at + step)); };
        for (int first = 0; first < 3; ++first) BOOST_TEST(asks() < 2 * fragment_size);
        std::uint64_t longest = 0;
        for (unsigned windows = 0; windows < 30; ++windows) {
            const std::uint64_t from = at;
            const std::uint64_t window = asks();
            // In a stream of short steps the first may lie inside what the fragment has already.
            if (windows > 1) BOOST_TEST(window > 2 * fragment_size);
            longest = std::max(longest, window);
            while (at < from + window) at += step;
        }
        BOOST_TEST(longest > 9_MiB);
        BOOST_TEST(some.of.streams() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(longer_steps_and_those_of_several_lengths_are_no_stream) {
    constexpr std::uint64_t longer = 128_KiB;
    for (const std::vector<std::uint64_t>& steps :
         {std::vector{longer}, std::vector{72_KiB, 80_KiB}, std::vector{72_KiB, 72_KiB, 100_KiB},
          std::vector{96_KiB, 64_KiB, 160_KiB}}) {
        misses some{512_MiB};
        std::uint64_t at = 100_MiB + 20_KiB;
        for (std::size_t i = 0; i < 100; ++i) {
            BOOST_TEST(some.miss(at) == 4_KiB);
            at += steps[i % steps.size()];
        }
        BOOST_TEST(some.of.streams() == 0U);
    }
}

// Where the second of two in a fragment finds it in memory.
BOOST_AUTO_TEST_CASE(steps_of_which_every_other_is_a_hit_are_equal) {
    misses some{512_MiB};
    std::uint64_t at = 100_MiB;
    for (const std::uint64_t step : {96_KiB, 48_KiB, 48_KiB}) {
        BOOST_TEST(some.miss(at) == 4_KiB);
        at += step;
    }
    BOOST_TEST(some.miss(at) > 2 * fragment_size);
}

// As who goes a little back in a film does.
BOOST_AUTO_TEST_CASE(a_miss_before_the_window_of_a_stream_is_not_its_readers) {
    misses some{512_MiB};
    const std::uint64_t next = some.read_on(100_MiB, 8);
    const std::uint64_t window = some.miss(next, 64_KiB);
    BOOST_TEST(window > 64_KiB);
    BOOST_TEST(some.miss(next - 64_KiB, 64_KiB) == 64_KiB);
    BOOST_TEST(some.of.in_front() == nullptr);
    BOOST_TEST(some.miss(next + window, 64_KiB) >= window);
}

BOOST_AUTO_TEST_CASE(who_comes_back_up_is_asked_for_nothing_more_below) {
    misses some{512_MiB};
    std::uint64_t at = 100_MiB;
    while (some.of.in_front() == nullptr || some.of.in_front()->size == 0)
        static_cast<void>(some.miss(at -= 64_KiB, 64_KiB));
    const std::uint64_t begin = some.of.in_front()->begin;
    // Of what is being read for him he comes upon some before it was there.
    BOOST_TEST(some.miss(at - 64_KiB, 64_KiB) > 64_KiB);
    BOOST_TEST(some.of.in_front()->size == 0U);
    BOOST_TEST(some.miss(100_MiB, 64_KiB) == 64_KiB);
    BOOST_TEST(some.of.in_front() == nullptr);
    BOOST_TEST(some.brought(begin, at - begin) == 0U);
    BOOST_TEST(!some.due(at));
}

BOOST_AUTO_TEST_SUITE_END()
