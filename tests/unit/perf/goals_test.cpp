// The table of goals.
#include "common/goals.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>

BOOST_AUTO_TEST_SUITE(goals_test)

using namespace leat::perf;

BOOST_AUTO_TEST_CASE(the_projects_goals_can_be_read) {
    BOOST_TEST(goals().size() >= 18U);
    const goal* const hot = find_goal("hit.hot.ns");
    BOOST_REQUIRE(hot != nullptr);
    BOOST_TEST(hot->reached(10));
    BOOST_TEST(!hot->reached(10.1));
    const goal* const fio = find_goal("scan/fio");
    BOOST_REQUIRE(fio != nullptr);
    BOOST_TEST(fio->reached(0.98));
    BOOST_TEST(!fio->reached(0.97));
}

BOOST_AUTO_TEST_CASE(a_goal_may_be_left_unmeasured) {
    const auto some = parse_goals("figure\tlimit\twhy\nx\t<= 3 if measured\tw\ny\t<= 3\tw\n");
    BOOST_REQUIRE(some.size() == 2U);
    BOOST_TEST(some[0].if_measured);
    BOOST_TEST(some[0].limit == 3);
    BOOST_TEST(!some[1].if_measured);
}

BOOST_AUTO_TEST_CASE(a_line_that_is_no_goal_is_refused) {
    BOOST_CHECK_THROW(static_cast<void>(parse_goals("figure\tlimit\twhy\nx\t= 3\tw\n")),
                      std::runtime_error);
    BOOST_CHECK_THROW(static_cast<void>(parse_goals("figure\tlimit\twhy\nx <= 3\n")),
                      std::runtime_error);
    BOOST_CHECK_THROW(static_cast<void>(parse_goals("figure\tlimit\twhy\nx\t<= 3q\tw\n")),
                      std::runtime_error);
}

BOOST_AUTO_TEST_CASE(what_falls_short_and_what_is_missing_is_said) {
    run_record run;
    run.figures = {{"hit.hot.ns", 12}};
    run.ratios = {{"scan/fio", 0.99}};
    run.faults = {{"crowd/raw", "busy"}};
    const auto outcome = check_goals(run);
    BOOST_TEST(!outcome.all_reached);
    BOOST_TEST(outcome.text.find("MISSES <= 10") != std::string::npos);
    BOOST_TEST(outcome.text.find("reaches >= 0.98") != std::string::npos);
    BOOST_TEST(outcome.text.find("void >= 0.9") != std::string::npos);
    BOOST_TEST(outcome.text.find("not measured") != std::string::npos);
    BOOST_TEST(outcome.text.find("soak.left") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_goal_says_how_far_a_value_falls_short) {
    const goal most{"a", false, 10, "", false};
    BOOST_TEST(most.words() == "at most 10");
    BOOST_TEST(most.shortfall(10) == "");
    BOOST_TEST(most.shortfall(11.5) == "by 15 %");
    BOOST_TEST(most.shortfall(31) == "3.1 times the limit");
    const goal least{"b", true, 0.5, "", false};
    BOOST_TEST(least.words() == "at least 0.5");
    BOOST_TEST(least.shortfall(0.4) == "by 20 %");
    const goal none{"c", false, 0, "", false};
    BOOST_TEST(none.shortfall(2) == "by 2");
}

BOOST_AUTO_TEST_SUITE_END()
