// Queries of administrators.
#include "admin/admin_query.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(admin_query_test)

using leat::serve::admin_query;
using leat::serve::served_path;

BOOST_AUTO_TEST_CASE(values_are_decoded) {
    const admin_query query{"?path=%2Fa%20b%2bc+d&top=5&empty=&bare"};
    BOOST_TEST(query.text("path").value() == "/a b+c+d");
    BOOST_TEST(query.text("empty").value().empty());
    BOOST_TEST(query.text("bare").value().empty());
    BOOST_TEST(!query.text("pat").has_value());
    BOOST_TEST(!query.text("absent").has_value());
    BOOST_TEST(!admin_query{""}.text("path").has_value());
    BOOST_TEST(admin_query{"?a=1&a=2"}.text("a").value() == "1");
}

BOOST_AUTO_TEST_CASE(half_an_escape_is_no_value) {
    for (const char* const wrong : {"?path=%", "?path=%2", "?path=%2g", "?path=a%g2"})
        BOOST_TEST(!admin_query{wrong}.text("path").has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(numbers_have_a_limit_and_a_default) {
    const admin_query query{"?top=50&word=five&less=-1&much=99999999999999999999&none="};
    BOOST_TEST(query.number("top", 7, 100).value() == 50u);
    BOOST_TEST(query.number("absent", 7, 100).value() == 7u);
    BOOST_TEST(!query.number("top", 7, 49).has_value());
    for (const char* const wrong : {"word", "less", "much", "none"})
        BOOST_TEST(!query.number(wrong, 7, 100).has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(paths_are_those_that_are_served) {
    BOOST_TEST(served_path("/films/a b.mkv", false).value() == "films/a b.mkv");
    BOOST_TEST(served_path("films//x?y#z%41", false).value() == "films/x?y#z%41");
    BOOST_TEST(served_path("/.hidden", true).value() == ".hidden");
    for (const char* const wrong : {"", "/", "/films/", "/../etc/passwd", "/.hidden", "/a/.."})
        BOOST_TEST(!served_path(wrong, false).has_value(), wrong);
    BOOST_TEST(!served_path(std::string{"/a\0b", 4}, false).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
