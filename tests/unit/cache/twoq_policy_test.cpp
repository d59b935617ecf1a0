// A queue for what comes once, an order of use for what comes again.
#include "policy_support.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(twoq_policy_test)

using namespace leat;

// Room for eight: two in the queue, four remembered.
BOOST_AUTO_TEST_CASE(what_comes_again_after_it_has_left_the_queue_stays_by_use) {
    test::letters all{detail::make_twoq_policy(8 * test::letters::piece), 8};
    // Uses in the queue tell nothing: it is first in, first out.
    BOOST_TEST(all.use("abcdefghaaij") == "ab");
    // a and b are remembered: they come back to stay; c and d leave the queue for them.
    BOOST_TEST(all.use("ab") == "cd");
    BOOST_TEST(all.use("kl") == "ef");
    // The queue gives until two are left; of those that stay b was used before a.
    BOOST_TEST(all.use("a") == "");
    BOOST_TEST(all.drain() == "ghijbakl");
}

BOOST_AUTO_TEST_CASE(where_none_of_the_queue_can_go_one_that_stays_goes) {
    test::letters all{detail::make_twoq_policy(8 * test::letters::piece), 8};
    BOOST_TEST(all.use("abcdefghij") == "ab");
    BOOST_TEST(all.use("ab") == "cd");
    for (const char one : {'e', 'f', 'g', 'h', 'i', 'j'})
        all.at(one).said = detail::verdict::set_aside;
    BOOST_TEST(all.evict() == 'a');
    BOOST_TEST(!all.at('e').in_policy);
    all.at('e').said = detail::verdict::evict;
    all.policy->put_back(all.at('e'));
    BOOST_TEST(all.drain() == "be");
}

BOOST_AUTO_TEST_SUITE_END()
