// The lines of meaning: of each workload, and for each goal.
#include "common/figure_definition.hpp"

#include "common/goals.hpp"
#include "common/workload.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(figure_definition_test)

using namespace leat::perf;

BOOST_AUTO_TEST_CASE(names_stand_for_others) {
    const figure_definition one{"hit.{hot,uniform}.{ns,read_all_ns}", ""};
    BOOST_TEST(one.defines("hit.hot.ns"));
    BOOST_TEST(one.defines("hit.uniform.read_all_ns"));
    BOOST_TEST(!one.defines("hit.zipf.ns"));
    BOOST_TEST(!one.defines("hit.hot.ns.more"));
    BOOST_TEST(!one.defines("hit.hot"));
    const figure_definition any{"designs.*.hot/leat", ""};
    BOOST_TEST(any.defines("designs.lock_shared.hot/leat"));
    BOOST_TEST(!any.defines("designs.lock.shared.hot/leat"));
    BOOST_TEST(!any.defines("designs..hot/leat"));
    BOOST_TEST((figure_definition{"a.d*.x", ""}.defines("a.d16.x")));
    BOOST_TEST((figure_definition{"{a,ab}c", ""}.defines("abc")));
}

BOOST_AUTO_TEST_CASE(each_says_what_and_why) {
    BOOST_TEST(workloads().size() == 17U);
    for (const workload* const of : workloads()) {
        BOOST_TEST(!of->figures.empty(), of->name);
        for (const figure_definition& one : of->figures) {
            const std::size_t colon = one.meaning.find(": ");
            BOOST_TEST((colon != std::string_view::npos && colon > 0), one.names);
            BOOST_TEST(one.meaning.find('\n') == std::string_view::npos, one.names);
            BOOST_TEST(one.meaning.back() != '.', one.names);
            BOOST_TEST(one.meaning.size() <= 160U, one.names);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_has_a_goal_has_a_meaning) {
    for (const goal& one : goals()) BOOST_TEST(find_definition(one.name) != nullptr, one.name);
    BOOST_REQUIRE(workload_of("scan/fio") != nullptr);
    BOOST_TEST(workload_of("scan/fio")->name == "scan");
    BOOST_TEST(workload_of("nothing") == nullptr);
    BOOST_TEST(find_definition("nothing") == nullptr);
}

BOOST_AUTO_TEST_CASE(goals_and_definitions_agree_on_what_is_better) {
    for (const goal& one : goals()) {
        const preference better = find_definition(one.name)->better;
        if (better == preference::by_unit) continue;
        BOOST_TEST((better == preference::more) == one.at_least, one.name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
