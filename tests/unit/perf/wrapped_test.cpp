// Lines that fit a terminal.
#include "common/wrapped.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(wrapped_test)

using namespace leat::perf;

BOOST_AUTO_TEST_CASE(lines_have_80_columns_at_most) {
    const std::string word(39, 'a');
    const std::string two = word + ' ' + word;
    BOOST_TEST(wrapped(two) == two);
    BOOST_TEST(wrapped(two + 'b') == two + 'b');
    BOOST_TEST(wrapped(two + "bb") == word + '\n' + word + "bb");
    BOOST_TEST(wrapped(two + " c", 2) == two + "\n  c");
    BOOST_TEST(wrapped("  " + two, 4) == "  " + word + "\n    " + word);
}

BOOST_AUTO_TEST_CASE(long_words_are_not_broken) {
    const std::string word(100, 'a');
    BOOST_TEST(wrapped(word) == word);
    BOOST_TEST(wrapped("b " + word + " c", 1) == "b\n " + word + "\n c");
    BOOST_TEST(wrapped("") == "");
}

BOOST_AUTO_TEST_SUITE_END()
