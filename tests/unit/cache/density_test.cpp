// What is learned of a file from fragments that are missed alone.
#include "shard/density.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>

BOOST_AUTO_TEST_SUITE(density_test)

using leat::detail::density;

namespace {

bool missed(density& of, std::uint64_t file, unsigned used, int times, double again = 0) {
    bool on = false;
    for (int n = 0; n < times; ++n) on = of.missed(file, used, again);
    return on;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_follows_is_worth_reading_where_a_quarter_of_what_lies_before_was_used) {
    density of;
    BOOST_TEST(!missed(of, 7, 3, 15));  // too few to tell
    BOOST_TEST(missed(of, 7, 3, 1));
    BOOST_TEST(!missed(of, 8, 7, 1));
    BOOST_TEST(!missed(of, 7, 0, 16));
    BOOST_TEST(missed(of, 7, 7, 8));
}

BOOST_AUTO_TEST_CASE(records_of_two_fragments_are_not_dense) {
    density of;
    BOOST_TEST(!missed(of, 7, 1, 1'000));
}

BOOST_AUTO_TEST_CASE(it_is_not_worth_that_where_what_goes_for_it_comes_again) {
    density of;
    BOOST_TEST(!missed(of, 7, 4, 100, 0.5));
    BOOST_TEST(missed(of, 7, 4, 1, 0.1));
}

BOOST_AUTO_TEST_CASE(what_was_dense_may_be_so_no_more) {
    density of;
    BOOST_TEST(missed(of, 7, 7, 10'000));
    BOOST_TEST(!missed(of, 7, 0, 200));
}

BOOST_AUTO_TEST_CASE(of_files_that_share_a_place_the_latest_is_known) {
    density of;
    BOOST_TEST(missed(of, 7, 7, 100));
    BOOST_TEST(!missed(of, 7 + 256, 7, 1));
    BOOST_TEST(!missed(of, 7, 7, 1));
}

BOOST_AUTO_TEST_SUITE_END()
