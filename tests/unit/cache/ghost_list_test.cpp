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
