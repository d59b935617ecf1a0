// How far readers come before what was read for them goes, by what goes.
#include "shard/reader_reach.hpp"

#include <leat/cache/detail/chunk_place.hpp>
#include <leat/engine/options.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>

BOOST_AUTO_TEST_SUITE(reader_reach_test)

using namespace leat::literals;
using leat::detail::reader_reach;

namespace {

constexpr std::int64_t second = 1'000'000'000;

/// A sixteenth of the memory is loaded each second.
struct reach {
    explicit reach(std::int64_t seconds) {
        of.set_memory(16_MiB);
        for (std::int64_t i = 0; i < seconds; ++i) of.loaded(1_MiB, now += second);
    }
    void come_through(std::uint64_t bytes, std::int64_t took, int times) {
        for (int i = 0; i < times; ++i) of.came_through(bytes, took, now);
    }
    reader_reach of;
    std::int64_t now = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(until_three_quarters_of_the_memory_have_been_loaded_nothing_is_known) {
    reach some{11};
    BOOST_TEST(some.of.turnover(some.now) == 0);
    some.come_through(4_KiB, second, 10'000);
    BOOST_TEST(some.of.bytes() >= 10_MiB - 1);
    some.of.loaded(1_MiB, some.now + second);
    BOOST_TEST(some.of.turnover(some.now + second) == 11 * second);
}

BOOST_AUTO_TEST_CASE(it_is_what_they_come_through_while_three_quarters_are_loaded) {
    reach some{40};
    BOOST_TEST(some.of.turnover(some.now) == 11 * second);
    BOOST_TEST(some.of.turnover(some.now + second / 2) == 11 * second + second / 2);
    some.come_through(4_KiB, second, 3000);
    BOOST_TEST(some.of.bytes() > 43_KiB);
    BOOST_TEST(some.of.bytes() < 45_KiB);
    // In half the time, after so much has been loaded twice as fast.
    for (int i = 0; i < 12; ++i) some.of.loaded(1_MiB, some.now += second / 2);
    some.come_through(4_KiB, second, 3000);
    BOOST_TEST(some.of.bytes() > 21_KiB);
    BOOST_TEST(some.of.bytes() < 23_KiB);
}

BOOST_AUTO_TEST_CASE(a_few_who_are_quick_or_have_stopped_do_not_decide_for_the_others) {
    reach some{40};
    for (int i = 0; i < 3000; ++i) {
        some.come_through(4_KiB, second, 9);
        some.come_through(i % 2 == 0 ? 1_MiB : 0, i % 2 == 0 ? 0 : second, 1);
    }
    BOOST_TEST(some.of.bytes() > 32_KiB);
    BOOST_TEST(some.of.bytes() < 64_KiB);
}

BOOST_AUTO_TEST_CASE(it_is_never_less_than_a_unit_and_grows_again) {
    reach some{40};
    some.come_through(0, second, 100'000);
    BOOST_TEST(some.of.bytes() >= leat::unit_size - 1);
    BOOST_TEST(some.of.bytes() <= leat::unit_size);
    some.come_through(1_MiB, second, 3000);
    BOOST_TEST(some.of.bytes() > 1000_KiB);
}

BOOST_AUTO_TEST_SUITE_END()
