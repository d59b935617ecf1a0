// First to go, and last.
#include "policy_support.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(hinted_policy_test)

using namespace leat;

namespace {
struct hinted : test::letters {
    hinted() : letters{detail::make_policy(cache_policy::lru, 6 * piece), 6} {
        at('s').keep = at('t').keep = detail::retention::first_to_go;
        at('k').keep = at('l').keep = detail::retention::last_to_go;
    }
};
}  // namespace

BOOST_FIXTURE_TEST_CASE(hints_go_before_and_behind_the_policy, hinted) {
    BOOST_TEST(use("kslatb") == "");
    BOOST_TEST(drain() == "stabkl");
}

BOOST_FIXTURE_TEST_CASE(what_was_first_to_go_and_is_used_is_a_chunk_like_any_other, hinted) {
    BOOST_TEST(use("sabts") == "");
    BOOST_TEST(drain() == "tabs");
    BOOST_TEST((at('s').keep == detail::retention::normal));
}

BOOST_FIXTURE_TEST_CASE(of_what_is_kept_what_was_used_goes_round_once_more, hinted) {
    BOOST_TEST(use("klk") == "");
    BOOST_TEST(drain() == "lk");
}

BOOST_FIXTURE_TEST_CASE(a_search_that_is_stopped_goes_no_further, hinted) {
    BOOST_TEST(use("sak") == "");
    at('s').said = detail::verdict::stop;
    BOOST_TEST(evict() == '-');
    BOOST_TEST(bool{at('a').in_policy});
    at('s').said = detail::verdict::pass;
    BOOST_TEST(evict() == 'a');
    at('s').said = detail::verdict::set_aside;
    BOOST_TEST(drain() == "k");
    BOOST_TEST(!at('s').in_policy);
    at('s').said = detail::verdict::evict;
    policy->put_back(at('s'));
    BOOST_TEST(drain() == "s");
}

BOOST_FIXTURE_TEST_CASE(many_go_in_the_same_order, hinted) {
    BOOST_TEST(use("kslatb") == "");
    BOOST_TEST(evict_many(1) == "s");
    BOOST_TEST(evict_many(2) == "ta");
    BOOST_TEST(evict_many(2) == "bk");
    BOOST_TEST(evict_many(2) == "l");
    BOOST_TEST(evict_many(2) == "");
}

BOOST_FIXTURE_TEST_CASE(a_search_for_many_that_is_stopped_goes_no_further, hinted) {
    BOOST_TEST(use("stabkl") == "");
    at('t').said = detail::verdict::stop;
    BOOST_TEST(evict_many(5) == "s");
    BOOST_TEST(evict_many(5) == "");
    at('t').said = detail::verdict::evict;
    at('a').said = detail::verdict::pass;
    BOOST_TEST(evict_many(5) == "tbkl");
}

BOOST_AUTO_TEST_SUITE_END()
