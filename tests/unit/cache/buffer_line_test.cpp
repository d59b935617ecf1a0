// Requests that wait for a buffer: in order, and by chunk.
#include "shard/buffer_line.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <vector>

using namespace leat::detail;

namespace {

struct line {
    chunk_request& come(file_record& file, std::uint64_t index, patience how = patience::deadline) {
        chunk_request& one = all.emplace_back();
        one.file = &file;
        one.index = index;
        one.patience = how;
        waiting.push(one);
        return one;
    }

    std::deque<chunk_request> all;
    buffer_line waiting;
    file_record film;
    file_record song;
};

}  // namespace

BOOST_AUTO_TEST_CASE(they_stand_in_the_order_of_their_arrival) {
    line of;
    std::vector<chunk_request*> came;
    for (const std::uint64_t index : {7u, 3u, 7u, 1u, 3u}) came.push_back(&of.come(of.film, index));
    for (chunk_request* const one : came) {
        BOOST_TEST((&of.waiting.front() == one));
        of.waiting.remove(*one);
    }
    BOOST_TEST(of.waiting.empty());
}

BOOST_AUTO_TEST_CASE(those_for_one_chunk_are_found_in_their_order) {
    line of;
    for (std::uint64_t index = 0; index < 50; ++index) of.come(of.film, index);
    chunk_request& first = of.come(of.song, 25);
    for (std::uint64_t index = 0; index < 50; ++index) of.come(of.song, 2 * index + 1);
    BOOST_TEST((of.waiting.first_of(of.song, 24) == nullptr));
    BOOST_TEST((of.waiting.first_of(of.film, 50) == nullptr));
    BOOST_TEST((of.waiting.first_of(of.song, 25) == &first));
    of.waiting.remove(first);
    chunk_request* const second = of.waiting.first_of(of.song, 25);
    BOOST_TEST_REQUIRE((second != nullptr && second != &first));
    of.waiting.remove(*second);
    BOOST_TEST((of.waiting.first_of(of.song, 25) == nullptr));
    BOOST_TEST((of.waiting.first_of(of.film, 25) != nullptr));
}

BOOST_AUTO_TEST_CASE(who_waits_briefly_is_known_while_he_waits) {
    line of;
    of.come(of.film, 1);
    BOOST_TEST(!of.waiting.has_brief());
    chunk_request& brief = of.come(of.film, 2, patience::brief);
    of.come(of.film, 2, patience::none);
    BOOST_TEST(of.waiting.has_brief());
    of.waiting.remove(brief);
    BOOST_TEST(!of.waiting.has_brief());
}
