// Two lists whose border what comes too late moves.
#include "policy_support.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(arc_policy_test)

using namespace leat;

// Room for four.
BOOST_AUTO_TEST_CASE(a_use_moves_to_the_second_list_which_a_scan_does_not_empty) {
    test::letters all{detail::make_arc_policy(4 * test::letters::piece), 4};
    // T1: c d, T2: a b. Each new one goes through T1.
    BOOST_TEST(all.use("abcdab") == "");
    BOOST_TEST(all.use("efgh") == "cdef");
    BOOST_TEST(all.at('a').there);
    BOOST_TEST(all.at('b').there);
}

BOOST_AUTO_TEST_CASE(what_comes_again_after_it_has_left_moves_the_border) {
    test::letters all{detail::make_arc_policy(4 * test::letters::piece), 4};
    BOOST_TEST(all.use("abcdab") == "");
    // T1 should be empty: c goes to B1.
    BOOST_TEST(all.use("e") == "c");
    // c is wanted from B1: T1 should have one. It has two: d goes, and c comes to T2.
    BOOST_TEST(all.use("c") == "d");
    // T1 has the one that it should have: a, the oldest of T2, goes to B2.
    BOOST_TEST(all.use("f") == "a");
    // a is wanted from B2: T1 should have none: e goes, and a comes to T2.
    BOOST_TEST(all.use("a") == "e");
}

BOOST_AUTO_TEST_CASE(a_use_while_it_is_set_aside_is_remembered) {
    test::letters all{detail::make_arc_policy(4 * test::letters::piece), 4};
    BOOST_TEST(all.use("abcd") == "");
    all.at('a').said = detail::verdict::set_aside;
    BOOST_TEST(all.use("e") == "b");
    BOOST_TEST(!all.at('a').in_policy);
    all.at('a').said = detail::verdict::evict;
    BOOST_TEST(all.use("a") == "");
    all.policy->put_back(all.at('a'));
    // It stands in T2, alone.
    BOOST_TEST(all.drain() == "cdea");
}

BOOST_AUTO_TEST_SUITE_END()
