// What has changed between two runs, and what has not.
#include "common/comparison.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>

BOOST_AUTO_TEST_SUITE(comparison_test)

using namespace leat::perf;

namespace {

/// A run of one figure.
run_record run_of(const std::string& name, double value, double spread, unsigned rounds = 5) {
    run_record run;
    run.figures.emplace_back(name, value);
    run.spreads[name] = spread;
    run.rounds[name] = rounds;
    return run;
}

comparison compared(const std::string& name, double older, double newer, double spread) {
    return compare_runs(run_of(name, newer, spread), run_of(name, older, spread));
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_lies_within_both_spreads_is_no_change) {
    BOOST_TEST(compared("hit.hot.ns", 10, 11, 0.05).changes.empty());
    BOOST_TEST(compared("hit.hot.ns", 10, 11, 0.05).unchanged == 1U);
    const comparison found = compared("hit.hot.ns", 10, 11.2, 0.05);
    BOOST_REQUIRE(found.changes.size() == 1U);
    BOOST_TEST(found.unchanged == 0U);
    BOOST_TEST(found.changes[0].share() == 0.12, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(found.changes[0].spread == 0.106, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(less_time_and_more_of_a_rate_are_better) {
    const auto how = [](const char* name, double older, double newer) {
        return compared(name, older, newer, 0).changes.at(0).how;
    };
    BOOST_TEST((how("hit.hot.ns", 2, 1) == tendency::better));
    BOOST_TEST((how("hit.hot.ns", 1, 2) == tendency::worse));
    BOOST_TEST((how("scan.gbps", 1, 2) == tendency::better));
    BOOST_TEST((how("miss.depth32.iops", 2, 1) == tendency::worse));
    BOOST_TEST((how("patterns.mix.hits", 0.9, 0.8) == tendency::worse));
    BOOST_TEST((how("fanin.fills", 1, 2) == tendency::worse));
    BOOST_TEST((how("soak.requests", 1, 2) == tendency::neither));
}

BOOST_AUTO_TEST_CASE(the_spread_of_few_rounds_is_not_known) {
    const auto changes = [](const char* name, double newer) {
        return compare_runs(run_of(name, newer, 0, 1), run_of(name, 10, 0, 5)).changes.size();
    };
    BOOST_TEST(changes("memory.start_ms", 12) == 0U);
    BOOST_TEST(changes("memory.start_ms", 14) == 1U);
    BOOST_TEST(changes("patterns.mix.mean_read_kib", 10.1) == 1U);  // counted
    run_record older;
    run_record newer;
    older.ratios.emplace_back("scan/fio", 1);
    newer.ratios.emplace_back("scan/fio", 1.5);
    BOOST_TEST(compare_runs(newer, older).changes.empty());  // neither tells of a spread
}

BOOST_AUTO_TEST_CASE(what_is_void_or_in_one_run_only_is_not_compared) {
    run_record newer = run_of("hit.hot.ns", 10, 0);
    newer.faults["hit.hot.ns"] = "busy";
    const comparison found = compare_runs(newer, run_of("hit.hot.ns", 20, 0));
    BOOST_TEST(found.changes.empty());
    BOOST_TEST(found.not_compared == 1U);
    BOOST_TEST(compare_runs(run_of("a", 1, 0), run_of("b", 1, 0)).not_compared == 2U);
}

BOOST_AUTO_TEST_CASE(another_machine_is_told_another_date_is_not) {
    run_record newer = run_of("hit.hot.ns", 10, 0);
    run_record older = newer;
    newer.machine = {{"date", "today"}, {"cpu", "new"}};
    older.machine = {{"date", "yesterday"}, {"cpu", "old"}};
    const comparison found = compare_runs(newer, older);
    BOOST_REQUIRE(found.differences.size() == 1U);
    BOOST_TEST(found.differences[0].older == "old");
    BOOST_TEST(sentence_of(found) ==
               "Of 1 figures and ratios none has changed beyond its spread; 1 is within it.");
}

BOOST_AUTO_TEST_SUITE_END()
