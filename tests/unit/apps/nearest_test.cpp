// Which name is meant by one that is misspelt.
#include "common/nearest.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(nearest_test)

using namespace leat::apps;

BOOST_AUTO_TEST_CASE(distances) {
    BOOST_TEST(distance("", "") == 0U);
    BOOST_TEST(distance("", "abc") == 3U);
    BOOST_TEST(distance("abc", "") == 3U);
    BOOST_TEST(distance("memory", "memory") == 0U);
    BOOST_TEST(distance("memroy", "memory") == 2U);
    BOOST_TEST(distance("kitten", "sitting") == 3U);
}

BOOST_AUTO_TEST_CASE(the_nearest_option) {
    CLI::App app{"", "program"};
    app.add_flag("--list");
    app.add_flag("--listen-twice,-t");
    app.add_flag("-x");
    BOOST_TEST(nearest_option(app, "lsit") == "list");
    BOOST_TEST(nearest_option(app, "listen-twic") == "listen-twice");
    BOOST_TEST(nearest_option(app, "list") == "list");
    BOOST_TEST(nearest_option(app, "qqq") == "");
    BOOST_TEST(nearest_option(app, "") == "");
}

BOOST_AUTO_TEST_SUITE_END()
