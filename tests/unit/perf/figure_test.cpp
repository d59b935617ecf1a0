// Units and digits of figures.
#include "common/figure.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(figure_test)

using namespace leat::perf;

BOOST_AUTO_TEST_CASE(units_are_read_from_names) {
    BOOST_TEST(unit_of("hit.hot.ns") == "ns");
    BOOST_TEST(unit_of("hit.hot.read_all_ns") == "ns");
    BOOST_TEST(unit_of("miss.first_byte.p50_us") == "us");
    BOOST_TEST(unit_of("raw.cpu_us_per_chunk") == "us/chunk");
    BOOST_TEST(unit_of("scan.4k_gbps") == "GB/s");
    BOOST_TEST(unit_of("fanin.ns_per_waiter") == "ns");
    BOOST_TEST(unit_of("remote.hot.ops_per_s") == "1/s");
    BOOST_TEST(unit_of("hit.allocations") == "");
    BOOST_TEST(unit_of("bonus") == "");
}

BOOST_AUTO_TEST_CASE(values_have_about_four_digits) {
    BOOST_TEST(format_value(9.8714) == "9.871");
    BOOST_TEST(format_value(107.24) == "107.2");
    BOOST_TEST(format_value(1523000.4) == "1523000");
    BOOST_TEST(format_value(0) == "0");
    BOOST_TEST(format_value(0.0001234) == "0.000123");
}

BOOST_AUTO_TEST_CASE(sentences_have_about_three_digits) {
    BOOST_TEST(format_short(8.94) == "8.94");
    BOOST_TEST(format_short(2.9) == "2.9");
    BOOST_TEST(format_short(94.53) == "94.5");
    BOOST_TEST(format_short(107.24) == "107");
    BOOST_TEST(format_short(1523000.4) == "1523000");
    BOOST_TEST(format_short(0) == "0");
}

BOOST_AUTO_TEST_CASE(rates_are_decimal) {
    BOOST_TEST(gbps(2e9, 0.5) == 4);
    BOOST_TEST(to_us(1500) == 1.5);
}

BOOST_AUTO_TEST_SUITE_END()
