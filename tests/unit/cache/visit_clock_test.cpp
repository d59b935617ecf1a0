// When a use counts anew.
#include "policy/visit_clock.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>

BOOST_AUTO_TEST_SUITE(visit_clock_test)

using leat::detail::told_uses;
using leat::detail::visit_clock;

BOOST_AUTO_TEST_CASE(four_chunks_at_least_separate_two_visits) {
    visit_clock clock{told_uses::visits, 40};  // a twentieth is two
    for (std::int64_t now = 10; now < 40; now += 10) {
        clock.visited(now, 1);
        BOOST_TEST(clock.horizon() == std::numeric_limits<std::int64_t>::min());
    }
    clock.visited(40, 1);
    BOOST_TEST(clock.horizon() == 10);  // who was used before 10 has seen four others since
    clock.visited(50, 1);
    BOOST_TEST(clock.horizon() == 20);
}

BOOST_AUTO_TEST_CASE(a_twentieth_of_the_memory_separates_two_visits) {
    visit_clock clock{told_uses::visits, 1600};  // 80
    for (std::int64_t now = 1; now <= 80; ++now) clock.visited(now, 1);
    BOOST_TEST(clock.horizon() == 20);  // marks at 20, 40, 60 and 80
    clock.visited(81, 20);
    BOOST_TEST(clock.horizon() == 40);
}

BOOST_AUTO_TEST_CASE(visits_are_known_whatever_a_policy_wants_to_be_told) {
    visit_clock all{told_uses::all, 40};
    visit_clock none{told_uses::none, 40};
    for (std::int64_t now = 1; now <= 100; ++now) {
        all.visited(now, 1);
        none.visited(now, 1);
    }
    BOOST_TEST(all.horizon() == std::numeric_limits<std::int64_t>::max());
    BOOST_TEST(all.visits_horizon() == 97);
    BOOST_TEST(none.horizon() == 97);
    BOOST_TEST(none.visits_horizon() == 97);
}

BOOST_AUTO_TEST_CASE(what_was_used_since_the_horizon_is_in_use_but_not_what_was_only_loaded) {
    visit_clock clock{told_uses::visits, 40};
    const visit_clock none{told_uses::none, 40};
    for (std::int64_t now = 10; now < 100; now += 10) clock.visited(now, 1);
    leat::detail::resident one;
    one.touched = true;
    one.used = clock.visits_horizon();
    BOOST_TEST(clock.in_use(one));
    BOOST_TEST(!none.in_use(one));
    one.used = clock.visits_horizon() - 1;
    BOOST_TEST(!clock.in_use(one));
    one.used = clock.visits_horizon() + 1;
    one.touched = false;
    BOOST_TEST(!clock.in_use(one));
    one.touched = true;
    one.keep = leat::detail::retention::gone_when_idle;
    BOOST_TEST(!clock.in_use(one));
}

BOOST_AUTO_TEST_SUITE_END()
