// Medians, quantiles, spreads.
#include "common/statistics.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

BOOST_AUTO_TEST_SUITE(statistics_test)

using namespace leat::perf;

BOOST_AUTO_TEST_CASE(median_of_odd_even_and_none) {
    BOOST_TEST(median(std::vector<double>{3, 1, 2}) == 2);
    BOOST_TEST(median(std::vector<double>{4, 1, 2, 3}) == 2.5);
    BOOST_TEST(median(std::vector<double>{}) == 0);
    BOOST_TEST(median(std::vector<double>{7}) == 7);
}

BOOST_AUTO_TEST_CASE(quantiles_are_interpolated) {
    const std::vector<double> values{50, 10, 40, 20, 30};
    BOOST_TEST(quantile(values, 0) == 10);
    BOOST_TEST(quantile(values, 1) == 50);
    BOOST_TEST(quantile(values, 0.25) == 20);
    BOOST_TEST(quantile(values, 0.375) == 25);
    BOOST_TEST(quantile(values, 2) == 50);
}

BOOST_AUTO_TEST_CASE(spread_ignores_one_outlier_in_five) {
    BOOST_TEST(spread(std::vector<double>{100, 100, 100, 100, 900}) == 0);
    BOOST_TEST(spread(std::vector<double>{90, 100, 110, 100, 900}) == 0.1,
               boost::test_tools::tolerance(1e-9));
    BOOST_TEST(spread(std::vector<double>{5}) == 0);
    BOOST_TEST(spread(std::vector<double>{-1, 0, 1}) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
