// Which reads in flight are counted, and which are said to hang.
#include "shard/aged_reads.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

BOOST_AUTO_TEST_SUITE(aged_reads_test)

using leat::detail::aged_reads;
using leat::detail::read_counts;

namespace {

struct ages {
    aged_reads::begun begin() { return of.begin({.all = 1}); }
    void end(const aged_reads::begun& one, bool served = true) { of.end(one, served); }
    void grow(int count, const aged_reads::bounds& most = {}) {
        for (int i = 0; i < count; ++i) of.grow_older(most);
    }
    [[nodiscard]] unsigned counted() const { return of.counted().all; }
    [[nodiscard]] unsigned hanging() const { return of.hanging().all; }

    aged_reads of;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_read_hangs_when_it_is_older_than_two_ages) {
    ages all;
    const aged_reads::begun one = all.begin();
    BOOST_TEST(one.some());
    BOOST_TEST(!aged_reads::begun{}.some());
    all.grow(2);
    BOOST_TEST(all.counted() == 1u);
    const aged_reads::begun later = all.begin();
    all.grow(1);
    BOOST_TEST(all.counted() == 1u);
    BOOST_TEST(all.hanging() == 1u);
    all.end(one);
    BOOST_TEST(all.hanging() == 0u);
    all.end(later);
    BOOST_TEST(all.counted() == 0u);
}

BOOST_AUTO_TEST_CASE(each_count_comes_and_goes_with_its_read) {
    ages all;
    const auto is = [](const read_counts& counts, unsigned of) {
        return counts.all == of && counts.walks == 2 * of && counts.aheads == 3 * of &&
               counts.small == 4 * of && counts.windows == 5 * of && counts.background == 6 * of &&
               counts.bytes == 7 * of;
    };
    const read_counts what{
        .all = 1, .walks = 2, .aheads = 3, .small = 4, .windows = 5, .background = 6, .bytes = 7};
    const aged_reads::begun one = all.of.begin(what);
    BOOST_TEST(is(all.of.counted(), 1));
    all.grow(3);
    BOOST_TEST(is(all.of.counted(), 0));
    BOOST_TEST(is(all.of.hanging(), 1));
    all.end(one);
    BOOST_TEST(is(all.of.hanging(), 0));
    all.end(all.of.begin(what));
    BOOST_TEST(is(all.of.counted(), 0));
}

BOOST_AUTO_TEST_CASE(reads_that_hang_are_found_beside_slow_ones_that_end) {
    // Each of them takes so many ages.
    for (const std::size_t slow : {1U, 2U, 3U, 5U, 8U}) {
        ages all;
        std::deque<aged_reads::begun> others;
        const auto go_on = [&](int count) {
            for (int age = 0; age < count; ++age) {
                others.push_back(all.begin());
                if (others.size() > slow) {
                    all.end(others.front());
                    others.pop_front();
                }
                all.grow(1);
            }
        };
        go_on(40);
        BOOST_TEST(all.hanging() == 0u);
        BOOST_TEST(all.counted() == others.size());
        const aged_reads::begun hangs = all.begin();
        go_on(40);
        BOOST_TEST(all.hanging() == 1u, slow);
        BOOST_TEST(all.counted() == others.size());
        all.end(hangs);
        for (const aged_reads::begun& one : others) all.end(one);
    }
}

BOOST_AUTO_TEST_CASE(what_hangs_does_so_until_its_end_whatever_others_show) {
    ages all;
    const aged_reads::begun one = all.begin();
    const aged_reads::begun other = all.begin();
    all.grow(3);
    BOOST_TEST(all.hanging() == 2u);
    all.grow(5);
    all.end(one);  // a slow source, then
    const aged_reads::begun young = all.begin();
    all.grow(1);
    BOOST_TEST(all.hanging() == 1u);
    all.end(other);
    BOOST_TEST(all.hanging() == 0u);
    BOOST_TEST(all.counted() == 1u);
    all.end(young);
    BOOST_TEST(all.counted() == 0u);
}

BOOST_AUTO_TEST_CASE(what_a_slow_source_has_shown_is_forgotten) {
    ages all;
    const aged_reads::begun slow = all.begin();
    all.grow(100);
    all.end(slow);
    const aged_reads::begun one = all.begin();
    int age = 0;
    for (; all.counted() != 0; ++age) all.grow(1);
    BOOST_TEST(age == 13);
    all.grow(20);
    const aged_reads::begun other = all.begin();
    for (age = 0; all.counted() != 0; ++age) all.grow(1);
    BOOST_TEST(age == 3);
    all.end(one);
    all.end(other);
}

BOOST_AUTO_TEST_CASE(no_more_hang_than_may_but_the_first_in_any_case) {
    ages all;
    std::vector<aged_reads::begun> begun;
    for (int i = 0; i < 5; ++i) begun.push_back(all.begin());
    all.grow(3, {.reads = 4});
    BOOST_TEST(all.hanging() == 5u);
    begun.push_back(all.begin());
    all.grow(20, {.reads = 5});
    BOOST_TEST(all.counted() == 1u);
    all.grow(1, {.reads = 6});
    BOOST_TEST(all.counted() == 0u);
    for (const aged_reads::begun& one : begun) all.end(one);
    BOOST_TEST(all.hanging() == 0u);
}

BOOST_AUTO_TEST_CASE(nor_into_more_memory_and_the_first_only_where_they_may) {
    const read_counts large{.all = 1, .bytes = 10};
    ages all;
    const aged_reads::begun one = all.of.begin(large);
    all.grow(20, {.bytes = 9, .first = false});
    BOOST_TEST(all.hanging() == 0u);
    all.grow(1, {.bytes = 9});
    BOOST_TEST(all.hanging() == 1u);
    const aged_reads::begun other = all.of.begin(large);
    all.grow(20, {.bytes = 19});
    BOOST_TEST(all.hanging() == 1u);
    all.grow(1, {.bytes = 20, .first = false});
    BOOST_TEST(all.hanging() == 2u);
    all.end(one);
    all.end(other);
    BOOST_TEST(all.of.hanging().bytes == 0u);
}

BOOST_AUTO_TEST_CASE(as_long_as_something_may_come_of_it_they_grow_older) {
    ages all;
    BOOST_TEST(!all.of.grow_older({.reads = 1}));
    const aged_reads::begun one = all.begin();
    for (int age = 0; age < 3; ++age) BOOST_TEST(all.of.grow_older({.reads = 1}));
    BOOST_TEST(all.hanging() == 1u);
    BOOST_TEST(!all.of.grow_older({.reads = 1}));
    const aged_reads::begun other = all.begin();
    for (int age = 0; age < 2; ++age) BOOST_TEST(all.of.grow_older({.reads = 1}));
    // One more may not hang.
    BOOST_TEST(!all.of.grow_older({.reads = 1}));
    all.end(one);
    int age = 0;
    for (; all.counted() != 0 && age < 20; ++age) BOOST_TEST(all.of.grow_older({.reads = 1}));
    BOOST_TEST(all.hanging() == 1u);
    BOOST_TEST(!all.of.grow_older({.reads = 1}));
    all.end(other);
}

// A time limit ends what hangs.
BOOST_AUTO_TEST_CASE(what_has_failed_does_not_show_how_slow_the_source_is) {
    ages all;
    const aged_reads::begun failed = all.begin();
    all.grow(4);
    const aged_reads::begun later = all.begin();
    all.end(failed, false);
    all.grow(3);
    BOOST_TEST(all.hanging() == 1u);
    all.end(later, false);
    BOOST_TEST(all.hanging() == 0u);
    const aged_reads::begun slow = all.begin();
    all.grow(4);
    const aged_reads::begun last = all.begin();
    all.end(slow);
    all.grow(3);
    BOOST_TEST(all.hanging() == 0u);
    all.end(last);
}

BOOST_AUTO_TEST_SUITE_END()
