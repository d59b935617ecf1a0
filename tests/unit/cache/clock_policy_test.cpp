// A second chance for what was used.
#include "policy_support.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(clock_policy_test)

using namespace leat;

BOOST_AUTO_TEST_CASE(what_was_used_since_the_last_look_goes_round_once_more) {
    test::letters all{detail::make_clock_policy(), 3};
    // a was used and goes behind c; b goes. Then the order is c a d.
    BOOST_TEST(all.use("abcad") == "b");
    // Nobody was used: c goes, and then a.
    BOOST_TEST(all.use("ef") == "ca");
    BOOST_TEST(all.drain() == "def");
}

BOOST_AUTO_TEST_CASE(where_all_were_used_the_oldest_goes) {
    test::letters all{detail::make_clock_policy(), 3};
    BOOST_TEST(all.use("abcabcd") == "a");
    BOOST_TEST(all.drain() == "bcd");
}

BOOST_AUTO_TEST_SUITE_END()
