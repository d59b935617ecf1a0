// What is remembered of what is gone.
#include "policy/ghost_list.hpp"

#include "failing_memory.hpp"

#include <boost/test/unit_test.hpp>

using leat::detail::ghost_list;

BOOST_AUTO_TEST_CASE(the_oldest_are_forgotten_by_bytes) {
    ghost_list all{100};
    all.push(1, 40);
    all.push(2, 40);
    BOOST_TEST(all.bytes() == 80u);
    all.push(3, 40);
    BOOST_TEST(!all.contains(1));
    BOOST_TEST(all.contains(2));
    BOOST_TEST(all.bytes() == 80u);
    all.push(4, 101);  // more than all may have
    BOOST_TEST(all.bytes() == 0u);
    BOOST_TEST(!all.contains(4));
}

BOOST_AUTO_TEST_CASE(what_is_pushed_again_or_refreshed_is_the_youngest) {
    ghost_list all{100};
    all.push(1, 40);
    all.push(2, 40);
    BOOST_TEST(all.refresh(1));
    BOOST_TEST(!all.refresh(7));
    all.push(3, 40);
    BOOST_TEST(all.contains(1));
    BOOST_TEST(!all.contains(2));
    all.push(1, 30);
    all.push(4, 40);
    BOOST_TEST(all.contains(1));
    BOOST_TEST(!all.contains(3));
    BOOST_TEST(all.bytes() == 70u);
}

BOOST_AUTO_TEST_CASE(keys_that_share_a_bucket_are_told_apart) {
    ghost_list all{100};  // few buckets
    for (std::uint64_t key = 0; key < 50; ++key) all.push(key << 32, 2);
    for (std::uint64_t key = 0; key < 50; key += 2) BOOST_TEST(all.erase(key << 32));
    BOOST_TEST(!all.erase(0));
    for (std::uint64_t key = 0; key < 50; ++key)
        BOOST_TEST(all.contains(key << 32) == (key % 2 == 1));
    all.erase_oldest();
    BOOST_TEST(!all.contains(std::uint64_t{1} << 32));
    BOOST_TEST(all.bytes() == 48u);
}

// 100,000 in a table that was made for one: chains of all would take minutes.
BOOST_AUTO_TEST_CASE(the_table_grows_with_keys_of_small_pieces) {
    constexpr std::uint64_t many = 100'000;
    ghost_list all{many};
    const std::uint64_t empty = all.memory_bytes();
    all.push(1, 1);
    const std::uint64_t a_key = all.memory_bytes() - empty;
    for (std::uint64_t key = 2; key <= many; ++key) all.push(key, 1);
    const std::uint64_t buckets = all.memory_bytes() - many * a_key;
    BOOST_TEST(buckets >= many);  // four bytes for each four keys
    for (std::uint64_t key = 1; key <= many; key += 2) BOOST_TEST_REQUIRE(all.erase(key));
    for (std::uint64_t key = 1; key <= many; ++key)
        BOOST_TEST_REQUIRE(all.contains(key) == (key % 2 == 0));
    BOOST_TEST(all.bytes() == many / 2);
}

BOOST_AUTO_TEST_CASE(what_it_takes_follows_what_may_be_remembered) {
    constexpr std::uint64_t many = 20'000;
    constexpr std::uint64_t piece = 4096;
    ghost_list all{many * piece};
    for (std::uint64_t key = 1; key <= many; ++key) all.push(key * 0x9e3779b97f4a7c15, piece);
    const std::uint64_t full = all.memory_bytes();
    all.set_most(many / 16 * piece);
    BOOST_TEST(all.memory_bytes() < full / 12);
    BOOST_TEST(all.bytes() == many / 16 * piece);
    // The youngest are left, in their order.
    for (std::uint64_t key = 1; key <= many; ++key)
        BOOST_TEST(all.contains(key * 0x9e3779b97f4a7c15) == (key > many - many / 16));
    all.push(1, piece);
    BOOST_TEST(!all.contains((many - many / 16 + 1) * 0x9e3779b97f4a7c15));
    all.set_most(many * piece);
    BOOST_TEST(all.bytes() == many / 16 * piece);
    BOOST_TEST(all.contains(1));
    {
        const leat::test::failing_memory none{1, true};
        all.set_most(many / 8 * piece);
    }
    BOOST_TEST(all.contains(1));
    for (std::uint64_t key = 2; key <= many; ++key) all.push(key, piece);
    BOOST_TEST(all.bytes() == many / 8 * piece);
}
