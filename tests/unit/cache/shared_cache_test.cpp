// The division by a chunk's size.
#include <leat/cache/detail/shared_cache.hpp>

#include <boost/test/unit_test.hpp>

#include <random>

BOOST_AUTO_TEST_SUITE(shared_cache_test)

BOOST_AUTO_TEST_CASE(the_reciprocal_divides_exactly_at_every_border) {
    std::mt19937_64 random{1};
    for (std::uint64_t blocks : {1u, 2u, 3u, 5u, 7u, 160u, 161u, 1000u, 16'383u, 16'384u}) {
        const std::uint64_t divisor = blocks * 65'536;
        const leat::detail::reciprocal by{divisor};
        const std::uint64_t top = (std::uint64_t{1} << 63) - 1;
        for (std::uint64_t quotient :
             {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{12'345}, top / divisor}) {
            const std::uint64_t at = quotient * divisor;
            BOOST_TEST(by.divide(at) == quotient);
            if (at > 0) BOOST_TEST(by.divide(at - 1) == quotient - 1);
        }
        std::uint64_t wrong = 0;
        for (int i = 0; i < 100'000; ++i) {
            const std::uint64_t offset = random() >> 1;
            wrong += by.divide(offset) != offset / divisor;
        }
        BOOST_TEST(wrong == 0u);
    }
}

BOOST_AUTO_TEST_SUITE_END()
