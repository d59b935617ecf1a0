// Medians, ratios and which of them count.
#include "common/report.hpp"

#include <boost/test/unit_test.hpp>

#include <initializer_list>

BOOST_AUTO_TEST_SUITE(report_test)

using namespace leat::perf;

namespace {
void add_all(report& into, const char* figure, std::initializer_list<double> values) {
    for (const double value : values) into.add(figure, value);
}
}  // namespace

BOOST_AUTO_TEST_CASE(ratios_are_of_medians) {
    report found;
    add_all(found, "a", {10, 11, 10, 10, 90});
    add_all(found, "b", {5, 5, 1, 5, 5});
    found.compare("a/b", "a", "b");
    BOOST_TEST(found.value_of(found.ratios()[0]).value() == 2);
    BOOST_TEST(!found.has_void());
}

BOOST_AUTO_TEST_CASE(a_wide_spread_voids_the_comparison) {
    report found;
    add_all(found, "a", {10, 20, 10, 20, 15});
    add_all(found, "b", {5, 5, 5, 5, 5});
    found.compare("a/b", "a", "b");
    BOOST_TEST(!found.value_of(found.ratios()[0]).has_value());
    BOOST_TEST(found.fault_of(found.ratios()[0]).find("a lie 67 % apart") != std::string::npos);
    BOOST_TEST(found.has_void());
}

BOOST_AUTO_TEST_CASE(disturbed_rounds_do_not_count_while_enough_are_left) {
    report found;
    add_all(found, "a", {10, 10, 10});
    const auto mark = found.mark();
    add_all(found, "a", {70, 70});
    found.disturb_since(mark);
    BOOST_TEST(found.find("a")->median == 10);
    BOOST_TEST(!found.find("a")->disturbed);
    BOOST_TEST(found.find("a")->rounds == 3U);
    BOOST_TEST(report::fault_of(found.figures()[0]) == "");
    found.disturb_since(mark - 1);
    BOOST_TEST(found.find("a")->disturbed);
    BOOST_TEST(report::fault_of(found.figures()[0]).find("busy while a was") != std::string::npos);
    BOOST_TEST(found.find("a")->median == 10);
    BOOST_TEST(found.has_void());
}

BOOST_AUTO_TEST_CASE(warm_ups_can_be_forgotten) {
    report found;
    found.add("kept", 1);
    const auto mark = found.mark();
    found.add("kept", 100);
    found.add("forgotten", 100);
    found.forget_since(mark);
    BOOST_TEST(found.find("kept")->median == 1);
    BOOST_TEST(!found.find("forgotten").has_value());
}

BOOST_AUTO_TEST_CASE(a_missing_rival_is_no_fault) {
    report found;
    found.add("a", 1);
    found.compare("a/b", "a", "b");
    BOOST_TEST(!found.value_of(found.ratios()[0]).has_value());
    BOOST_TEST(!found.has_void());
}

BOOST_AUTO_TEST_CASE(latencies_become_microseconds) {
    report found;
    histogram ns;
    for (int i = 0; i < 100; ++i) ns.add(200);
    found.add_latencies("x", ns);
    BOOST_TEST(found.find("x.p50_us")->median == 0.2);
    BOOST_TEST(found.find("x.p99_us")->median == 0.2);
    BOOST_TEST(found.histograms().at("x").count() == 100U);
}

BOOST_AUTO_TEST_SUITE_END()
