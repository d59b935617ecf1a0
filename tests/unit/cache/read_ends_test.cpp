// Who goes on reading, and who comes anew.
#include <leat/cache/detail/read_ends.hpp>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(read_ends_test)

using leat::detail::read_ends;

BOOST_AUTO_TEST_CASE(a_reader_goes_on_where_it_has_stopped) {
    read_ends ends;
    BOOST_TEST(!ends.continued_at(0));
    ends.note(4096);
    BOOST_TEST(ends.continued_at(4096));
    ends.note(8192);
    BOOST_TEST(!ends.visited_anew());
    BOOST_TEST(!ends.continued_at(4096));
}

BOOST_AUTO_TEST_CASE(four_readers_are_told_apart_and_the_one_heard_of_least_recently_is_forgotten) {
    read_ends ends;
    for (const std::uint32_t reader : {100u, 200u, 300u, 400u}) {
        BOOST_TEST(!ends.continued_at(reader));
        ends.note(reader + 1);
    }
    for (const std::uint32_t reader : {100u, 300u, 200u, 400u}) {
        BOOST_TEST(ends.continued_at(reader + 1));
        ends.note(reader + 2);
    }
    BOOST_TEST(ends.visited_anew());
    BOOST_TEST(!ends.continued_at(500));
    ends.note(501);
    BOOST_TEST(!ends.continued_at(102));
}

BOOST_AUTO_TEST_SUITE_END()
