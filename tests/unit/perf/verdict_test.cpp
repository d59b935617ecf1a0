// The sentence about a run.
#include "common/verdict.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(verdict_test)

using namespace leat::perf;

BOOST_AUTO_TEST_CASE(it_tells_what_was_measured_beside_rivals_and_goals) {
    run_record run;
    run.figures = {
        {"hit.hot.ns", 12.5},   {"hit.uniform.ns", 106.2},       {"pread.uniform.ns", 1076.4},
        {"hit.allocations", 0}, {"miss.first_byte.p50_us", 141}, {"scan.gbps", 2.7314}};
    run.ratios = {{"hit.hot/floor.hot", 1.25}};
    BOOST_TEST(verdict_of(run) ==
               "On this machine leat hands over a random page in memory in 106 ns where pread, "
               "which copies it, takes 1076 ns, has one that is not in memory after 141 us, "
               "streams a cold file at 2.73 GB/s, and meets 2 of 3 goals and misses hit.hot.ns "
               "(12.5, at most 10).");
}

BOOST_AUTO_TEST_CASE(what_is_void_is_about_its_value_and_meets_no_goal) {
    run_record run;
    run.figures = {{"hit.uniform.ns", 106}, {"hit.hot.ns", 5}};
    run.faults = {{"hit.uniform.ns", "busy"}, {"hit.hot.ns", "busy"}, {"scan/fio", "busy"}};
    BOOST_TEST(verdict_of(run) ==
               "On this machine leat hands over a random page in memory in about 106 ns, and "
               "meets 0 of 2 goals: 2 cannot be judged.");
}

BOOST_AUTO_TEST_CASE(a_run_of_nothing_is_told_so) {
    BOOST_TEST(verdict_of({}).find("`quick`") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
