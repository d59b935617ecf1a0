// Bits of few units and of many.
#include "shard/unit_bits.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>

BOOST_AUTO_TEST_SUITE(unit_bits_test)

using leat::detail::unit_bits;

BOOST_AUTO_TEST_CASE(none_is_set_and_each_can_be) {
    for (std::uint64_t words = 1; words <= 3; words += 2) {
        unit_bits bits{words};
        for (std::uint64_t word = 0; word < words; ++word) {
            BOOST_TEST(bits.landed(words)[word].load() + bits.asked_word(words, word) == 0u);
            bits.landed(words)[word].store(word + 1);
            bits.set_asked_word(words, word, 10 * word + 1);
        }
        const auto* const array = bits.landed(words);
        unit_bits moved{bits, words};
        BOOST_TEST((moved.landed(words) == array) == (words != 1));
        for (std::uint64_t word = 0; word < words; ++word) {
            BOOST_TEST(moved.landed(words)[word].load() == word + 1);
            BOOST_TEST(moved.asked_word(words, word) == 10 * word + 1);
        }
        moved.forget(words);
        bits.forget(words);
    }
}

BOOST_AUTO_TEST_CASE(bits_of_one_word_count_themselves_and_those_of_many_are_counted) {
    unit_bits few{1};
    few.landed(1)[0].store(7);
    few.set_asked_word(1, 0, ~std::uint64_t{0});
    BOOST_TEST(few.landed_count(1) == 3u);
    BOOST_TEST(few.asked_count(1) == 64u);
    few.count_landed(1, 5);
    few.count_asked(1, -5);
    BOOST_TEST(few.landed_count(1) == 3u);
    BOOST_TEST(few.asked_count(1) == 64u);

    unit_bits many{2};
    many.count_asked(2, 100);
    many.count_landed(2, 30);
    many.count_asked(2, -60);
    many.count_landed(2, 10);
    BOOST_TEST(many.landed_count(2) == 40u);
    BOOST_TEST(many.asked_count(2) == 40u);
    many.forget(2);
}

BOOST_AUTO_TEST_CASE(only_those_of_many_take_memory_besides) {
    BOOST_TEST(unit_bits::bytes_for(1) == 0u);
    BOOST_TEST(unit_bits::bytes_for(3) == 7 * sizeof(std::uint64_t));
    unit_bits bits{3};
    bits.forget(3);
    bits.forget(3);  // once more is no harm
}

BOOST_AUTO_TEST_SUITE_END()
