// What is known of the latest keys that were evicted.
#include "shard/evicted_keys.hpp"

#include <leat/cache/detail/entry_table.hpp>
#include <leat/engine/options.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>

BOOST_AUTO_TEST_SUITE(evicted_keys_test)

using namespace leat::literals;
using leat::detail::evicted_keys;
using lack = leat::detail::evicted_keys::lack;

namespace {

std::uint64_t key(std::uint64_t number) {
    return leat::detail::entry_table::hash(1, number);
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_is_known_once_and_by_how_it_went) {
    evicted_keys some;
    some.set_memory(64_MiB);
    BOOST_TEST(some.of_each() == 1u);
    some.evicted(key(1), false);
    some.evicted(key(2), true);
    BOOST_CHECK(some.wanted(key(3)) == lack::none);
    BOOST_CHECK(some.wanted(key(1)) == lack::used);
    BOOST_CHECK(some.wanted(key(1)) == lack::none);
    BOOST_CHECK(some.wanted(key(2)) == lack::unread);
    BOOST_CHECK(some.wanted(key(2)) == lack::none);
}

BOOST_AUTO_TEST_CASE(how_much_is_wanted_again_is_a_part_of_what_the_policy_evicts) {
    evicted_keys some;
    some.set_memory(64_MiB);
    BOOST_TEST(some.wanted_again() == 0.0);
    for (std::uint64_t i = 0; i < 1000; ++i) {
        some.evicted(key(i), i % 2 == 0);
        if (i % 4 < 2) static_cast<void>(some.wanted(key(i)));
    }
    BOOST_TEST(some.wanted_again() > 0.45);
    BOOST_TEST(some.wanted_again() < 0.55);
    // That is of late.
    for (std::uint64_t i = 1000; i < 5000; ++i) some.evicted(key(i), false);
    BOOST_TEST(some.wanted_again() < 0.01);
}

BOOST_AUTO_TEST_CASE(of_much_memory_it_knows_a_part_as_large_as_it_says) {
    evicted_keys some;
    some.set_memory(8_GiB);
    BOOST_TEST(some.of_each() == 65u);
    constexpr std::uint64_t evicted = 32'000;
    std::uint64_t known = 0;
    for (std::uint64_t i = 0; i < evicted; ++i) some.evicted(key(i), false);
    for (std::uint64_t i = 0; i < evicted; ++i) known += some.wanted(key(i)) == lack::used ? 1 : 0;
    // Some have taken the places of others.
    BOOST_TEST(known * some.of_each() < evicted * 12 / 10);
    BOOST_TEST(known * some.of_each() > evicted / 2);
}

BOOST_AUTO_TEST_SUITE_END()
