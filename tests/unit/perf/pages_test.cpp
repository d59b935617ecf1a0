// Orders of pages.
#include "common/pages.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <vector>

BOOST_AUTO_TEST_SUITE(pages_test)

using namespace leat::perf;

namespace {
std::vector<std::size_t> counts(const page_order& order, std::uint32_t pages) {
    std::vector<std::size_t> result(pages);
    for (const std::uint32_t page : order) ++result.at(page);
    std::sort(result.rbegin(), result.rend());
    return result;
}
}  // namespace

BOOST_AUTO_TEST_CASE(uniform_reaches_every_page_about_as_often) {
    constexpr std::uint32_t pages = 100;
    const auto seen = counts(uniform_pages(pages, 1 << 17, 3), pages);
    BOOST_TEST(seen.back() > 1100U);
    BOOST_TEST(seen.front() < 1530U);
}

BOOST_AUTO_TEST_CASE(zipf_falls_with_the_rank) {
    constexpr std::uint32_t pages = 1000;
    constexpr std::size_t requests = 1 << 18;
    const auto seen = counts(zipf_pages(pages, requests, 0.99, 3), pages);
    // The sum of 1 / r^0.99 up to 1000 is 7.73.
    const double first = static_cast<double>(seen[0]) / requests;
    const double tenth = static_cast<double>(seen[9]) / requests;
    BOOST_TEST(first > 0.125);
    BOOST_TEST(first < 0.134);
    BOOST_TEST(first / tenth > 8.8);
    BOOST_TEST(first / tenth < 10.8);
}

BOOST_AUTO_TEST_CASE(shuffles_keep_every_number) {
    auto order = shuffled(1000, 5);
    BOOST_TEST(!std::is_sorted(order.begin(), order.end()));
    std::sort(order.begin(), order.end());
    for (std::uint32_t i = 0; i < 1000; ++i) BOOST_TEST(order[i] == i);
}

BOOST_AUTO_TEST_CASE(orders_can_be_walked_with_a_mask) {
    for (const auto& order : {hot_page(7), sequential_pages(3, 1024)})
        BOOST_TEST((order.size() & (order.size() - 1)) == 0U);
    BOOST_TEST(sequential_pages(3, 8)[5] == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
