// A hand that keeps its place.
#include "policy_support.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(sieve_policy_test)

using namespace leat;

BOOST_AUTO_TEST_CASE(the_hand_passes_what_was_used_and_nothing_moves) {
    test::letters all{detail::make_sieve_policy(), 3};
    // a was used: the hand passes it, takes b, and stands at c.
    BOOST_TEST(all.use("abcad") == "b");
    // From the oldest the order is still a c d: the hand takes c, then d; CLOCK would take a.
    BOOST_TEST(all.use("ef") == "cd");
    // It takes e and f, and begins again with the oldest.
    BOOST_TEST(all.drain() == "efa");
}

BOOST_AUTO_TEST_CASE(the_hand_survives_the_loss_of_the_one_it_stands_at) {
    test::letters all{detail::make_sieve_policy(), 3};
    BOOST_TEST(all.use("abcad") == "b");
    all.policy->erase(all.at('c'));
    BOOST_TEST(all.evict() == 'd');
    all.policy->erase(all.at('a'));
    BOOST_TEST(all.policy->empty());
}

BOOST_AUTO_TEST_SUITE_END()
