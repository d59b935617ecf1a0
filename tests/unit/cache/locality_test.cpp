// What is learned of a file from requests that stand alone.
#include "shard/locality.hpp"

#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(locality_test)

using namespace leat;
using namespace leat::literals;
using leat::detail::locality;
using leat::test::fragments;

namespace {

void alone(locality& of, std::uint64_t file, int times) {
    for (int n = 0; n < times; ++n) of.note(file, false);
}
void second(locality& of, std::uint64_t file, int times) {
    for (int n = 0; n < times; ++n) of.note(file, true);
}

}  // namespace

BOOST_AUTO_TEST_CASE(whole_fragments_are_for_files_where_three_of_four_have_a_second_request) {
    locality of;
    BOOST_TEST(!of.whole(7, 1));
    alone(of, 7, 15);
    second(of, 7, 15);
    BOOST_TEST(!of.whole(7, 1));  // too few to tell
    alone(of, 7, 1);
    BOOST_TEST(of.whole(7, 1));
    BOOST_TEST(!of.whole(8, 1));
    alone(of, 7, 4);
    BOOST_TEST(of.whole(7, 1));
    alone(of, 7, 1);
    BOOST_TEST(!of.whole(7, 1));
}

BOOST_AUTO_TEST_CASE(some_are_read_small_to_learn_when_that_ends) {
    locality of;
    alone(of, 7, 20);
    second(of, 7, 20);
    int small = 0;
    for (std::uint64_t key = 0; key < 800; ++key) small += of.whole(7, key) ? 0 : 1;
    BOOST_TEST(small == 100);
    alone(of, 7, 200);
    BOOST_TEST(!of.whole(7, 1));
}

BOOST_AUTO_TEST_CASE(of_files_that_share_a_place_the_latest_is_known) {
    locality of;
    alone(of, 7, 20);
    second(of, 7, 20);
    alone(of, 7 + 256, 1);
    BOOST_TEST(!of.whole(7, 1));
    BOOST_TEST(!of.whole(7 + 256, 1));
}

BOOST_AUTO_TEST_CASE(a_file_asked_twice_in_most_fragments_is_read_by_whole_ones) {
    fragments of{64_MiB, 32_MiB};
    for (std::uint64_t n = 0; n < 40; ++n) {
        BOOST_TEST(of.right(n * 192_KiB, 4_KiB));
        BOOST_TEST(of.right(n * 192_KiB + 32_KiB, 4_KiB));
    }
    static_cast<void>(of.reads());
    unsigned whole = 0;
    for (std::uint64_t n = 100; n < 140; ++n) {
        BOOST_TEST(of.right(n * 192_KiB, 4_KiB));
        for (const test::extent_read& one : of.reads()) whole += one.size == 64_KiB ? 1 : 0;
        BOOST_TEST(of.right(n * 192_KiB + 32_KiB, 4_KiB));
        static_cast<void>(of.reads());
    }
    BOOST_TEST(whole >= 30U);
    BOOST_TEST(whole < 40U);
}

BOOST_AUTO_TEST_SUITE_END()
