// The cache without bytes, against examples worked by hand.
#include "replay/simulated_cache.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(simulated_cache_test)

using namespace leat::perf;
using leat::cache_policy;

namespace {

constexpr std::uint64_t chunk_size = 64 * leat::KiB;

chunk_piece page_of(std::uint32_t file, std::uint64_t index, std::uint32_t in = 0) {
    chunk_piece piece;
    piece.file = file;
    piece.index = index;
    piece.in = in;
    piece.size = 4096;
    return piece;
}

/// 'h' for each chunk that is there when it is asked for, and 'm' for each other.
std::string served(simulated_cache& by, const std::vector<std::uint64_t>& chunks) {
    std::string result;
    for (const std::uint64_t index : chunks) result += by.serve(page_of(0, index)) ? 'h' : 'm';
    return result;
}

}  // namespace

BOOST_AUTO_TEST_CASE(lru_lets_the_least_recently_used_go) {
    simulated_cache cache{cache_policy::lru, 3 * chunk_size, chunk_size};
    // 3 takes the place of 1, 1 that of 2, and 2 that of 0.
    BOOST_TEST(served(cache, {0, 1, 2, 0, 3, 1, 3, 2, 0}) == "mmmhmmhmm");
    BOOST_TEST(cache.has(0, 3));
    BOOST_TEST(cache.has(0, 2));
    BOOST_TEST(cache.has(0, 0));
    BOOST_TEST(!cache.has(0, 1));
}

BOOST_AUTO_TEST_CASE(fifo_lets_the_oldest_go) {
    simulated_cache cache{cache_policy::fifo, 3 * chunk_size, chunk_size};
    // 3 takes the place of 0, whatever uses it had, 0 that of 1.
    BOOST_TEST(served(cache, {0, 1, 2, 0, 0, 3, 0, 2, 1}) == "mmmhhmmhm");
}

BOOST_AUTO_TEST_CASE(a_load_is_no_second_use) {
    simulated_cache cache{cache_policy::clock, 2 * chunk_size, chunk_size};
    // 0 was used again and stays; 1 goes.
    BOOST_TEST(served(cache, {0, 1, 0, 2, 0, 1}) == "mmhmhm");
}

BOOST_AUTO_TEST_CASE(hints_do_what_they_do_in_the_cache) {
    simulated_cache cache{cache_policy::lru, 3 * chunk_size, chunk_size};
    const auto ask = [&](std::uint64_t index, leat::hint given) {
        chunk_piece piece = page_of(0, index);
        piece.hint = given;
        return cache.serve(piece);
    };
    BOOST_TEST(!ask(0, leat::hint::keep));
    BOOST_TEST(!ask(1, leat::hint::normal));
    BOOST_TEST(!ask(2, leat::hint::scan));
    BOOST_TEST(ask(2, leat::hint::scan));
    BOOST_TEST(!ask(3, leat::hint::normal));  // in place of 2, which was used last
    BOOST_TEST(!cache.has(0, 2));
    BOOST_TEST(!ask(4, leat::hint::no_retain));  // in place of 1
    BOOST_TEST(!cache.has(0, 4));
    BOOST_TEST(ask(3, leat::hint::no_retain));  // which others have brought
    BOOST_TEST(cache.has(0, 3));
    for (std::uint64_t index = 10; index < 20; ++index) BOOST_TEST(!ask(index, leat::hint::normal));
    BOOST_TEST(cache.has(0, 0));
    BOOST_TEST(ask(0, leat::hint::no_retain));  // which ends that it is kept
    BOOST_TEST(!cache.has(0, 0));
}

BOOST_AUTO_TEST_CASE(files_do_not_share_chunks) {
    simulated_cache cache{cache_policy::lru, 4 * chunk_size, chunk_size};
    BOOST_TEST(!cache.serve(page_of(0, 1)));
    BOOST_TEST(!cache.serve(page_of(1, 0)));
    BOOST_TEST(!cache.serve(page_of(1, 1)));
    BOOST_TEST(cache.serve(page_of(1, 0, 8192)));
    BOOST_TEST(!cache.has(0, 0));
}

BOOST_AUTO_TEST_CASE(memory_that_is_no_multiple_of_a_chunk_holds_whole_ones) {
    simulated_cache cache{cache_policy::lru, 3 * chunk_size - 1, chunk_size};
    BOOST_TEST(served(cache, {0, 1, 2, 1, 0}) == "mmmhm");
}

BOOST_AUTO_TEST_CASE(every_policy_keeps_to_its_memory) {
    constexpr std::uint64_t capacity = 50;
    for (const cache_policy policy : leat::cache_policies) {
        BOOST_TEST_CONTEXT(leat::name_of(policy)) {
            simulated_cache cache{policy, capacity * chunk_size, chunk_size};
            std::uint64_t state = 1;
            for (int i = 0; i < 20'000; ++i) {
                state = state * 6364136223846793005u + 1442695040888963407u;
                const std::uint64_t index = (state >> 33) % 200;
                cache.serve(page_of(0, index));
                BOOST_REQUIRE(cache.has(0, index));
            }
            std::uint64_t there = 0;
            for (std::uint64_t index = 0; index < 200; ++index)
                there += cache.has(0, index) ? 1 : 0;
            BOOST_TEST(there == capacity);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
