// Connections are counted in total and by address.
#include "connection_limits.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <vector>

BOOST_AUTO_TEST_SUITE(connection_limits_test)

using namespace leat::serve;

namespace {

peer_address v4(std::uint8_t last) {
    leat::http::proxied_end end;
    end.address = {10, 0, 0, last};
    end.address_bytes = 4;
    return peer_address::of(end);
}

peer_address v6(std::uint8_t network, std::uint8_t host) {
    leat::http::proxied_end end;
    end.address = {0x20, 1, 0, 0, 0, 0, 0, network, 0, 0, 0, 0, 0, 0, 0, host};
    end.address_bytes = 16;
    return peer_address::of(end);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(connection_limits_suite)

BOOST_AUTO_TEST_CASE(an_address_has_its_part) {
    connection_limits limits{4, 2};
    std::vector<connection_limits::place> places;
    for (int i = 0; i < 2; ++i) BOOST_TEST(bool(places.emplace_back(limits.enter(v4(1)))));
    BOOST_TEST(!limits.enter(v4(1)));
    BOOST_TEST(limits.count() == 2U);
    for (int i = 0; i < 2; ++i) BOOST_TEST(bool(places.emplace_back(limits.enter(v4(2)))));
    BOOST_TEST(!limits.enter(v4(3)));  // the fifth of all
    places.clear();
    BOOST_TEST(limits.count() == 0U);
    BOOST_TEST(bool(limits.enter(v4(1))));
    BOOST_TEST(limits.count() == 0U);
}

BOOST_AUTO_TEST_CASE(a_network_of_64_bits_is_one) {
    connection_limits limits{100, 1};
    const auto first = limits.enter(v6(1, 1));
    BOOST_TEST(bool(first));
    BOOST_TEST(!limits.enter(v6(1, 2)));
    BOOST_TEST(bool(limits.enter(v6(2, 1))));
}

BOOST_AUTO_TEST_CASE(who_is_not_known_counts_in_total) {
    connection_limits limits{2, 1};
    const auto first = limits.enter({});
    const auto second = limits.enter({});
    BOOST_TEST((first && second));
    BOOST_TEST(!limits.enter({}));
}

BOOST_AUTO_TEST_CASE(a_place_that_moves_counts_once) {
    connection_limits limits{2, 2};
    connection_limits::place first = limits.enter(v4(1));
    connection_limits::place second = std::move(first);
    first = limits.enter(v4(1));
    BOOST_TEST(limits.count() == 2U);
    second = {};
    BOOST_TEST(limits.count() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
