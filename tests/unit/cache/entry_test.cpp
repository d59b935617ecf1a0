// Which bytes of an entry have landed.
#include <leat/cache/detail/entry.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <bitset>

BOOST_AUTO_TEST_SUITE(entry_test)

using namespace leat;

BOOST_AUTO_TEST_CASE(each_word_covers_exactly_the_bits_asked_for) {
    const std::array<std::uint64_t, 8> borders{0, 1, 62, 63, 64, 127, 128, 191};
    for (const std::uint64_t first : borders) {
        for (const std::uint64_t last : borders) {
            if (last < first) continue;
            std::bitset<192> covered;
            detail::each_word(first, last, [&](std::uint64_t word, std::uint64_t mask) {
                for (unsigned bit = 0; bit < 64; ++bit) {
                    if ((mask >> bit & 1) != 0) covered.flip(word * 64 + bit);
                }
                return true;
            });
            BOOST_TEST(covered.count() == last - first + 1);
            BOOST_TEST(covered.test(first));
            BOOST_TEST(covered.test(last));
        }
    }
}

BOOST_AUTO_TEST_CASE(bytes_have_landed_when_all_their_units_have) {
    std::array<std::atomic<std::uint64_t>, 2> presence{};
    detail::entry one;
    one.presence = presence.data();
    presence[0] = ~std::uint64_t{0} << 1;  // units 1 to 64
    presence[1] = 1;
    const auto size = static_cast<std::uint32_t>(unit_size);
    BOOST_TEST(one.landed(unit_size, 64 * size));
    BOOST_TEST(!one.landed(unit_size - 1, 2));
    BOOST_TEST(!one.landed(unit_size, 64 * size + 1));
    BOOST_TEST(one.landed(65 * unit_size - 1, 1));
    BOOST_TEST(!one.landed(65 * unit_size, 1));
}

BOOST_AUTO_TEST_SUITE_END()
