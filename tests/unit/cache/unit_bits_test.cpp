// Bits of few units and of many.
#include "shard/unit_bits.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <utility>

using leat::detail::unit_bits;

BOOST_AUTO_TEST_CASE(none_is_set_and_each_can_be) {
    for (std::uint64_t words = 1; words <= 3; words += 2) {
        unit_bits bits{words};
        for (std::uint64_t word = 0; word < words; ++word) {
            BOOST_TEST(bits.landed_words()[word].load() + bits.asked_word(word) == 0u);
            bits.landed_words()[word].store(word + 1);
            bits.set_asked_word(word, 10 * word + 1);
        }
        bits.everything_landed = true;
        const auto* const array = bits.landed_words();
        const unit_bits moved{std::move(bits)};
        BOOST_TEST((moved.landed_words() == array) == (words != 1));
        for (std::uint64_t word = 0; word < words; ++word) {
            BOOST_TEST(moved.landed_words()[word].load() == word + 1);
            BOOST_TEST(moved.asked_word(word) == 10 * word + 1);
        }
        BOOST_TEST(moved.everything_landed.load());
        BOOST_TEST(moved.words == words);
    }
}

BOOST_AUTO_TEST_CASE(only_those_of_many_take_memory_besides) {
    BOOST_TEST(unit_bits::bytes_for(1) == 0u);
    BOOST_TEST(unit_bits::bytes_for(3) == 6 * sizeof(std::uint64_t));
    unit_bits bits{3};
    bits.forget();
    BOOST_TEST(bits.words == 1u);
}
