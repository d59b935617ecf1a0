// How long what was read ahead is worth its memory.
#include "shard/ahead_wait.hpp"

#include <leat/engine/options.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>

BOOST_AUTO_TEST_SUITE(ahead_wait_test)

using namespace leat::literals;
using leat::detail::ahead_wait;

namespace {

/// A sixteenth of the memory is loaded at each of the times 1, 2, 3, and so on up to `until`.
struct wait {
    explicit wait(std::int64_t until) {
        of.set_memory(16_MiB);
        for (std::int64_t time = 1; time <= until; ++time) of.loaded(1_MiB, time);
    }
    void come(std::int64_t since, std::int64_t at, int times) {
        for (int i = 0; i < times; ++i) of.came(since, at);
    }
    ahead_wait of;
};

}  // namespace

BOOST_AUTO_TEST_CASE(until_readers_have_come_it_is_as_much_as_the_memory) {
    BOOST_TEST(wait{0}.of.bytes() == 16_MiB);
    BOOST_TEST(wait{100}.of.bytes() == 16_MiB);
}

BOOST_AUTO_TEST_CASE(where_all_come_at_once_it_is_short) {
    wait some{20};
    some.come(20, 20, 1'000);
    BOOST_TEST(some.of.bytes() > 8_MiB);
    some.come(20, 20, 5'000);
    BOOST_TEST(some.of.bytes() == 1_MiB);
}

BOOST_AUTO_TEST_CASE(it_is_four_times_as_long_as_all_but_a_few_take) {
    wait some{20};
    some.come(10, 12, 6'000);
    BOOST_TEST(some.of.bytes() >= 8_MiB);
    BOOST_TEST(some.of.bytes() <= 10_MiB);
    // One of 16 comes later: too many to be left out.
    for (int i = 0; i < 2'000; ++i) {
        some.come(10, 12, 15);
        some.come(10, 19, 1);
    }
    BOOST_TEST(some.of.bytes() == 16_MiB);
    // One of 100 does.
    for (int i = 0; i < 100; ++i) {
        some.come(10, 12, 99);
        some.come(10, 19, 1);
    }
    BOOST_TEST(some.of.bytes() <= 11_MiB);
}

BOOST_AUTO_TEST_CASE(what_was_loaded_longer_ago_than_the_memory_is_no_later_than_that) {
    wait some{1000};
    some.come(1, 1000, 10);
    BOOST_TEST(some.of.bytes() == 16_MiB);
}

BOOST_AUTO_TEST_CASE(what_is_wanted_again_after_its_use_shortens_it_down_to_a_sixteenth) {
    wait some{20};
    some.of.used_wanted(64_KiB);
    const std::uint64_t once = some.of.bytes();
    BOOST_TEST(once < 16_MiB);
    BOOST_TEST(once >= 14_MiB);
    for (int i = 0; i < 100; ++i) some.of.used_wanted(64_KiB);
    BOOST_TEST(some.of.bytes() == 1_MiB);
}

BOOST_AUTO_TEST_CASE(what_was_evicted_too_early_lengthens_it_more_than_that) {
    wait some{20};
    for (int i = 0; i < 8; ++i) some.of.used_wanted(64_KiB);
    const std::uint64_t before = some.of.bytes();
    some.of.unread_wanted(64_KiB, 1);
    for (int i = 0; i < 4; ++i) some.of.used_wanted(64_KiB);
    BOOST_TEST(some.of.bytes() <= before + 1);
    BOOST_TEST(some.of.bytes() + 1 >= before);
    for (int i = 0; i < 100; ++i) some.of.unread_wanted(64_KiB, 1);
    BOOST_TEST(some.of.bytes() == 16_MiB);
}

// Those who would come later are not seen, since what was read for them has gone.
BOOST_AUTO_TEST_CASE(what_was_evicted_too_early_says_that_readers_come_later) {
    wait some{20};
    some.come(20, 20, 6'000);
    BOOST_TEST(some.of.bytes() == 1_MiB);
    some.of.unread_wanted(64_KiB, 1);
    BOOST_TEST(some.of.bytes() == 5_MiB);
    some.of.unread_wanted(64_KiB, 8);
    BOOST_TEST(some.of.bytes() == 16_MiB);
}

BOOST_AUTO_TEST_SUITE_END()
