// How many fragments there are, and how long the longest.
#include "shard/fragment_counts.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>

BOOST_AUTO_TEST_SUITE(fragment_counts_test)

using leat::detail::fragment_counts;
using namespace leat::literals;

BOOST_AUTO_TEST_CASE(without_fragments_one_place_is_looked_at) {
    BOOST_TEST(fragment_counts{}.longest() == 1U);
    BOOST_TEST(fragment_counts{}.all() == 0U);
}

BOOST_AUTO_TEST_CASE(the_longest_that_is_there_says_how_many_places_are_looked_at) {
    fragment_counts counts;
    counts.add(0, 1);
    counts.add(64_KiB, 64_KiB);
    BOOST_TEST(counts.longest() == 1U);
    counts.add(128_KiB - 4096, 4097);
    BOOST_TEST(counts.longest() == 2U);
    counts.add(0, 192_KiB);
    BOOST_TEST(counts.longest() >= 3U);
    counts.add(1_MiB, 1_MiB);
    BOOST_TEST(counts.longest() >= 16U);
    BOOST_TEST(counts.longest() < 64U);
    BOOST_TEST(counts.all() == 5U);
    counts.remove(1_MiB, 1_MiB);
    BOOST_TEST(counts.longest() < 16U);
    counts.remove(0, 192_KiB);
    BOOST_TEST(counts.longest() == 2U);
    counts.remove(128_KiB - 4096, 4097);
    BOOST_TEST(counts.longest() == 1U);
}

BOOST_AUTO_TEST_CASE(each_length_is_within_what_is_told) {
    for (std::uint64_t start = 0; start < 128_KiB; start += 20'000) {
        for (std::uint64_t length = 1; length < 3_MiB; length += 12'345) {
            fragment_counts counts;
            counts.add(start, length);
            const std::uint64_t places = (start + length - 1) / 64_KiB - start / 64_KiB + 1;
            BOOST_TEST_REQUIRE(counts.longest() >= places);
            BOOST_TEST_REQUIRE(counts.longest() < 2 * places);
            counts.remove(start, length);
            BOOST_TEST_REQUIRE(bool(counts == fragment_counts{}));
        }
    }
}

BOOST_AUTO_TEST_CASE(the_longest_chunk_counts) {
    fragment_counts counts;
    counts.add(0, ~std::uint32_t{0});
    BOOST_TEST(counts.longest() >= 65'536U);
    counts.remove(0, ~std::uint32_t{0});
    BOOST_TEST(counts.all() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
