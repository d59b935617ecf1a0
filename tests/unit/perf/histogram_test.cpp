// Buckets and percentiles.
#include "common/histogram.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>

BOOST_AUTO_TEST_SUITE(histogram_test)

using namespace leat::perf;

BOOST_AUTO_TEST_CASE(small_values_are_exact) {
    histogram ns;
    for (std::uint64_t value = 1; value <= 100; ++value) ns.add(value);
    for (const double percent : {1.0, 50.0, 99.0, 100.0})
        BOOST_TEST(ns.percentile(percent) == percent);
    BOOST_TEST(ns.percentile(99.99) == 100);
    BOOST_TEST(ns.count() == 100);
    BOOST_TEST(ns.mean() == 50.5);
}

BOOST_AUTO_TEST_CASE(large_values_are_within_half_a_percent) {
    for (std::uint64_t value = 256; value < (std::uint64_t{1} << 62); value = value * 5 / 3 + 7) {
        histogram ns;
        ns.add(value - value / 2);
        ns.add(value);
        ns.add(value + value / 2);
        const double error = ns.percentile(50) / static_cast<double>(value) - 1;
        BOOST_TEST(std::max(error, -error) < 0.004, "at " << value << ": " << error);
    }
}

BOOST_AUTO_TEST_CASE(percentiles_stay_between_the_extremes) {
    histogram ns;
    ns.add(1'000'003);
    for (const double percent : histogram::percentiles)
        BOOST_TEST(ns.percentile(percent) == 1'000'003);
    BOOST_TEST(ns.smallest() == 1'000'003U);
    BOOST_TEST(ns.largest() == 1'000'003U);
}

BOOST_AUTO_TEST_CASE(sums_count_both) {
    histogram one;
    histogram other;
    for (int i = 0; i < 90; ++i) one.add(10);
    for (int i = 0; i < 10; ++i) other.add(70'000);
    one.add(other);
    BOOST_TEST(one.count() == 100U);
    BOOST_TEST(one.percentile(90) == 10);
    BOOST_TEST(one.percentile(91) > 69'000);
    BOOST_TEST(one.largest() == 70'000U);
}

BOOST_AUTO_TEST_CASE(an_empty_one_is_zero) {
    const histogram ns;
    BOOST_TEST(ns.percentile(50) == 0);
    BOOST_TEST(ns.smallest() == 0U);
    BOOST_TEST(ns.mean() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
