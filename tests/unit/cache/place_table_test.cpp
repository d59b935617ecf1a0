// Numbers found by the hash of where they are.
#include "shard/place_table.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(place_table_test)

using leat::detail::place_table;

namespace {

constexpr std::uint32_t count = 100;

struct model {
    void add(std::uint64_t hash, std::uint32_t number) {
        of.add(hash, number);
        listed.emplace_back(hash, number);
    }
    void remove(std::size_t at) {
        of.remove(listed[at].first, listed[at].second);
        listed.erase(listed.begin() + static_cast<std::ptrdiff_t>(at));
    }
    [[nodiscard]] std::uint32_t last_at(std::uint64_t hash, auto such) const {
        const auto found = std::find_if(listed.rbegin(), listed.rend(), [&](const auto& one) {
            return one.first == hash && such(one.second);
        });
        return found == listed.rend() ? place_table::none : found->second;
    }

    place_table of{count};
    std::vector<std::pair<std::uint64_t, std::uint32_t>> listed;
};

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_is_found_in_an_empty_table) {
    const place_table empty{count};
    for (std::uint64_t hash = 0; hash < 1000; ++hash)
        BOOST_TEST(empty.find(hash << 31, [](auto) { return true; }) == place_table::none);
}

BOOST_AUTO_TEST_CASE(the_one_added_last_of_those_that_fit_is_found) {
    model some;
    std::mt19937_64 random{7};
    std::vector<std::uint32_t> spare;
    for (std::uint32_t number = 0; number < count; ++number) spare.push_back(number);
    // Of a few hashes, many of which share buckets, and some a tag.
    const auto any_hash = [&] { return random() % 4 << 45 | random() % 3 << 8 | random() % 3; };
    for (int step = 0; step < 50'000; ++step) {
        if (!spare.empty() && random() % 2 == 0) {
            some.add(any_hash(), spare.back());
            spare.pop_back();
        } else if (!some.listed.empty()) {
            const std::size_t at = random() % some.listed.size();
            spare.push_back(some.listed[at].second);
            some.remove(at);
        }
        const std::uint64_t hash = any_hash();
        const std::uint64_t rest = random() % 3;
        const auto such = [&](std::uint32_t number) {
            const bool there = std::any_of(some.listed.begin(), some.listed.end(),
                                           [&](const auto& one) { return one.second == number; });
            BOOST_TEST_REQUIRE(there);
            return number % 3 == rest;
        };
        // Others of that bucket and tag may be asked about: their owner tells them apart.
        const auto here = [&](std::uint32_t number) {
            return such(number) && std::find(some.listed.begin(), some.listed.end(),
                                             std::pair{hash, number}) != some.listed.end();
        };
        BOOST_TEST_REQUIRE(some.of.find(hash, here) == some.last_at(hash, such));
    }
}

BOOST_AUTO_TEST_CASE(as_many_as_there_may_be) {
    place_table full{place_table::most};
    for (std::uint32_t number = 0; number < place_table::most; ++number)
        full.add(number * 0x9E3779B97F4A7C15u, number);
    for (std::uint32_t number = 0; number < place_table::most; ++number) {
        const std::uint64_t hash = number * 0x9E3779B97F4A7C15u;
        const auto is_it = [&](std::uint32_t one) { return one == number; };
        BOOST_TEST_REQUIRE(full.find(hash, is_it) == number);
        full.remove(hash, number);
        BOOST_TEST_REQUIRE(full.find(hash, is_it) == place_table::none);
    }
}

BOOST_AUTO_TEST_SUITE_END()
