// First in, first out.
#include "policy_support.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(fifo_policy_test)

using namespace leat;

BOOST_AUTO_TEST_CASE(who_came_first_goes_first_used_or_not) {
    test::letters all{detail::make_fifo_policy(), 3};
    BOOST_TEST(all.use("abcaad") == "a");
    BOOST_TEST(all.use("bbe") == "b");
    BOOST_TEST(all.drain() == "cde");
}

BOOST_AUTO_TEST_SUITE_END()
