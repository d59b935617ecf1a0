// Which of the requests that wait for turns has the next one.
#include "shard/read_turns.hpp"

#include <leat/engine/options.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(read_turns_test)

using namespace leat::literals;
using leat::detail::aged_reads;
using leat::detail::chunk_request;
using leat::detail::read_turn;
using leat::detail::read_turns;

namespace {

struct requests {
    requests() { set(16, 8); }
    void set(unsigned at_once, unsigned walk_part) {
        of.set_bounds({.at_once = at_once, .walk_part = walk_part});
        fit(1_GiB);
    }
    void fit(std::uint64_t bytes) {
        memory = bytes;
        of.fit(bytes);
    }
    aged_reads::begun begin(read_turn kind, std::size_t fragments = 1) {
        return of.begin(kind, fragments * 64_KiB, fragments);
    }
    bool grow_older() { return of.grow_older(memory / 2); }
    chunk_request& wait(read_turn kind) {
        chunk_request& one = all.emplace_back();
        of.push(one, kind);
        return one;
    }
    /// The kinds of those that have turns one after the other.
    std::string order() {
        std::string said;
        while (chunk_request* const next = of.next()) {
            said += "OoWwa"[static_cast<int>(next->turn)];
            of.remove(*next);
        }
        return said;
    }

    std::deque<chunk_request> all;
    std::uint64_t memory = 0;
    read_turns of;
};

}  // namespace

BOOST_AUTO_TEST_CASE(walks_have_a_turn_after_three_others_and_what_nobody_waits_for_none_before) {
    requests some;
    for (int i = 0; i < 5; ++i) some.wait(read_turn::ahead);
    for (int i = 0; i < 5; ++i) some.wait(read_turn::walk);
    for (int i = 0; i < 8; ++i) some.wait(read_turn::alone);
    for (int i = 0; i < 2; ++i) some.wait(read_turn::alone_again);
    for (int i = 0; i < 2; ++i) some.wait(read_turn::walk_again);
    BOOST_TEST(some.order() == "OOoWoooWooowowwwwaaaaa");
}

BOOST_AUTO_TEST_CASE(of_a_kind_they_have_turns_in_the_order_of_their_arrival) {
    requests some;
    for (const read_turn kind : {read_turn::alone_again, read_turn::alone, read_turn::walk_again,
                                 read_turn::walk, read_turn::ahead}) {
        chunk_request& first = some.wait(kind);
        chunk_request& leaves = some.wait(kind);
        chunk_request& last = some.wait(kind);
        some.of.remove(leaves);
        BOOST_TEST(!leaves.waits_for_turn);
        BOOST_TEST(some.of.next() == &first);
        some.of.remove(first);
        BOOST_TEST(some.of.next() == &last);
        some.of.remove(last);
        BOOST_TEST(some.of.empty());
        BOOST_TEST(some.of.next() == nullptr);
    }
}

BOOST_AUTO_TEST_CASE(who_goes_through_a_file_has_no_more_than_an_eighth_of_the_turns) {
    requests some;
    some.of.end(some.begin(read_turn::alone), true);
    for (const read_turn kind : {read_turn::walk_again, read_turn::walk, read_turn::ahead}) {
        chunk_request& waits = some.wait(kind);
        const aged_reads::begun first = some.begin(read_turn::walk);
        BOOST_TEST(!some.of.full(kind));
        BOOST_TEST(some.of.next() == &waits);
        const aged_reads::begun second = some.begin(read_turn::walk);
        BOOST_TEST(some.of.full(kind));
        BOOST_TEST(!some.of.some_may_begin());
        BOOST_TEST(some.of.next() == nullptr);
        // Nor are those waited for that could not begin, however many.
        BOOST_TEST(!some.of.must_wait(read_turn::alone));
        chunk_request& alone = some.wait(read_turn::alone);
        BOOST_TEST(some.of.must_wait(read_turn::alone));
        BOOST_TEST(some.of.some_may_begin());
        BOOST_TEST(some.of.next() == &alone);
        some.of.remove(alone);
        some.of.end(first, true);
        BOOST_TEST(some.of.next() == &waits);
        BOOST_TEST(some.of.must_wait(kind));
        some.of.remove(waits);
        some.of.end(second, true);
    }
}

BOOST_AUTO_TEST_CASE(a_window_of_several_fragments_takes_two_turns) {
    for (const std::size_t fragments : {1U, 2U, 3U, 100U}) {
        requests some;
        some.set(80, 8);
        some.of.end(some.begin(read_turn::alone), true);
        std::size_t count = 0;
        std::vector<aged_reads::begun> all;
        for (; !some.of.full(read_turn::walk); ++count)
            all.push_back(some.begin(read_turn::walk, fragments));
        BOOST_TEST(count == (fragments == 1 ? 10U : 5U));
        BOOST_TEST(some.of.in_flight() == count);
        for (const aged_reads::begun& one : all) some.of.end(one, true);
        BOOST_TEST(some.of.in_flight() == 0u);
        BOOST_TEST(!some.of.full(read_turn::walk));
    }
}

BOOST_AUTO_TEST_CASE(who_asks_for_one_thing_does_not_wait_behind_what_is_asked_for_ahead) {
    requests some;
    some.wait(read_turn::ahead);
    BOOST_TEST(some.of.some_may_begin());
    for (const read_turn kind : {read_turn::alone, read_turn::walk})
        BOOST_TEST(!some.of.must_wait(kind));
    BOOST_TEST(some.of.must_wait(read_turn::ahead));
    chunk_request& walk = some.wait(read_turn::walk);
    BOOST_TEST(some.of.must_wait(read_turn::alone));
    some.of.remove(walk);
    BOOST_TEST(!some.of.must_wait(read_turn::alone));
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_ahead_takes_none_of_the_turns_of_those_who_wait) {
    requests some;
    some.of.end(some.begin(read_turn::alone), true);
    const aged_reads::begun ahead = some.begin(read_turn::ahead, 2);
    BOOST_TEST(some.of.full(read_turn::ahead));
    BOOST_TEST(!some.of.full(read_turn::walk));
    chunk_request& later = some.wait(read_turn::ahead);
    BOOST_TEST(some.of.next() == nullptr);
    BOOST_TEST(!some.of.must_wait(read_turn::walk));
    const aged_reads::begun walk = some.begin(read_turn::walk);
    some.of.end(ahead, true);
    BOOST_TEST(some.of.next() == &later);
    const aged_reads::begun second = some.begin(read_turn::walk);
    BOOST_TEST(some.of.next() == nullptr);
    some.of.end(walk, true);
    some.of.end(second, true);
    some.of.remove(later);
}

BOOST_AUTO_TEST_CASE(one_that_asks_for_one_thing_does_not_pass_walks_that_could_begin) {
    requests some;
    some.set(1, 1);
    chunk_request& walk = some.wait(read_turn::walk);
    unsigned before = 0;
    // Whoever has had something asks again at once.
    for (aged_reads::begun last = some.begin(read_turn::alone);; ++before) {
        some.of.end(last, true);
        BOOST_TEST(some.of.must_wait(read_turn::alone));
        chunk_request& again = some.wait(read_turn::alone);
        chunk_request* const next = some.of.next();
        some.of.remove(again);
        if (next == &walk) break;
        last = some.begin(read_turn::alone);
    }
    BOOST_TEST(before == 3u);
    some.of.remove(walk);
}

BOOST_AUTO_TEST_CASE(where_nobody_asks_for_one_thing_those_who_go_through_files_have_all_turns) {
    requests some;
    chunk_request& waits = some.wait(read_turn::walk);
    std::vector<aged_reads::begun> all;
    for (int i = 0; i < 15; ++i) {
        all.push_back(some.begin(read_turn::walk));
        BOOST_TEST(some.of.next() == &waits);
    }
    all.push_back(some.begin(read_turn::alone));
    BOOST_TEST(some.of.next() == nullptr);
    for (const aged_reads::begun& one : all) some.of.end(one, true);
    // As long as one was among the latest reads.
    for (int i = 0; i < 4095; ++i) some.of.end(some.begin(read_turn::walk), true);
    aged_reads::begun first = some.begin(read_turn::walk, 2);
    BOOST_TEST(some.of.full(read_turn::walk));
    some.of.end(first, true);
    first = some.begin(read_turn::walk, 2);
    BOOST_TEST(!some.of.full(read_turn::walk));
    some.of.end(first, true);
    some.of.remove(waits);
}

BOOST_AUTO_TEST_CASE(all_turns_are_had_by_those_who_ask_for_one_thing) {
    requests some;
    chunk_request& waits = some.wait(read_turn::alone);
    aged_reads::begun last;
    for (int i = 0; i < 16; ++i) {
        BOOST_TEST(some.of.next() == &waits);
        last = some.begin(i < 2 ? read_turn::walk : read_turn::alone);
    }
    BOOST_TEST(some.of.full());
    BOOST_TEST(some.of.next() == nullptr);
    some.of.end(last, true);
    BOOST_TEST(some.of.next() == &waits);
    some.of.remove(waits);
}

BOOST_AUTO_TEST_CASE(one_of_few_turns_is_for_files) {
    requests some;
    some.of.end(some.begin(read_turn::alone), true);
    for (unsigned count = 1; count < 16; ++count) {
        some.set(count, count);
        BOOST_TEST(!some.of.full(read_turn::walk));
        const aged_reads::begun one = some.begin(read_turn::walk, 100);
        BOOST_TEST(some.of.full(read_turn::walk));
        BOOST_TEST(some.of.full(read_turn::alone) == (count == 1));
        some.of.end(one, true);
    }
}

BOOST_AUTO_TEST_CASE(reads_that_hang_keep_their_turns_for_three_ages) {
    requests some;
    some.of.end(some.begin(read_turn::alone), true);
    const aged_reads::begun first = some.begin(read_turn::walk);
    const aged_reads::begun other = some.begin(read_turn::walk);
    for (int ages = 0; ages < 2; ++ages) {
        BOOST_TEST(some.grow_older());
        BOOST_TEST(some.of.full(read_turn::walk));
    }
    const aged_reads::begun late = some.begin(read_turn::alone);
    some.grow_older();
    BOOST_TEST(some.of.in_flight() == 1u);
    BOOST_TEST(!some.of.full(read_turn::walk));
    const aged_reads::begun second = some.begin(read_turn::walk);
    // Their ends count no more.
    some.of.end(first, true);
    some.of.end(other, true);
    BOOST_TEST(some.of.in_flight() == 2u);
    some.of.end(second, true);
    some.of.end(late, true);
    BOOST_TEST(some.of.in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(reads_of_a_slow_source_keep_their_turns) {
    requests some;
    std::deque<aged_reads::begun> all;
    for (int ages = 0; ages < 100; ++ages) {
        while (!some.of.full()) all.push_back(some.begin(read_turn::alone));
        BOOST_TEST(all.size() == 16u);
        some.grow_older();
        // So each takes four ages.
        for (int i = 0; i < 4; ++i) {
            some.of.end(all.front(), true);
            all.pop_front();
        }
    }
}

BOOST_AUTO_TEST_CASE(three_times_as_many_may_hang_as_may_be_in_flight) {
    requests some;
    std::vector<aged_reads::begun> all;
    for (int ages = 0; ages < 100; ++ages) {
        while (!some.of.full())
            all.push_back(some.begin(all.size() % 2 != 0 ? read_turn::walk : read_turn::alone, 2));
        some.grow_older();
    }
    BOOST_TEST(all.size() == 4 * 16u);
    BOOST_TEST(!some.grow_older());  // as nothing has come of the last ones
    // When some of those that are not counted have ended, the others can take their places.
    for (int i = 0; i < 16; ++i) some.of.end(all[i], true);
    BOOST_TEST(some.of.full());
    // One of a source that had been known to be slow is given more time at first.
    for (int ages = 0; ages < 6; ++ages) some.grow_older();
    BOOST_TEST(some.of.in_flight() == 0u);
    for (std::size_t i = 16; i < all.size(); ++i) some.of.end(all[i], true);
    BOOST_TEST(some.of.in_flight() == 0u);
    BOOST_TEST(!some.of.full(read_turn::walk));
}

BOOST_AUTO_TEST_CASE(reads_that_hang_are_followed_by_others_up_to_half_of_the_memory) {
    for (const std::uint64_t fragments : {1U, 4U, 8U, 16U, 64U}) {
        requests some;
        some.fit(32_MiB);
        std::vector<aged_reads::begun> all;
        for (int ages = 0; ages < 100; ++ages) {
            while (!some.of.full()) all.push_back(some.begin(read_turn::alone, fragments));
            some.grow_older();
        }
        // The first ones in any case, and those that are counted.
        const std::uint64_t rounds = std::clamp<std::uint64_t>(16 / fragments, 1, 3);
        BOOST_TEST(all.size() == (1 + rounds) * 16);
        for (const aged_reads::begun& one : all) some.of.end(one, true);
        BOOST_TEST(some.of.in_flight() == 0u);
    }
}

BOOST_AUTO_TEST_CASE(while_walks_hang_more_of_them_follow_up_to_half_of_the_turns) {
    requests some;
    some.set(32, 8);
    some.of.end(some.begin(read_turn::alone), true);
    std::vector<aged_reads::begun> all;
    std::vector<std::size_t> begun;
    for (int ages = 0; ages < 12; ++ages) {
        const std::size_t before = all.size();
        while (!some.of.full(read_turn::walk)) all.push_back(some.begin(read_turn::walk, 2));
        if (all.size() != before) begun.push_back(all.size() - before);
        some.grow_older();
    }
    BOOST_TEST((begun == std::vector<std::size_t>{2, 4, 8, 8}));
    BOOST_TEST(!some.of.full(read_turn::alone));
    for (const aged_reads::begun& one : all) some.of.end(one, true);
    // Where none hangs they have what they had.
    all.clear();
    while (!some.of.full(read_turn::walk)) all.push_back(some.begin(read_turn::walk, 2));
    BOOST_TEST(all.size() == 2u);
    for (const aged_reads::begun& one : all) some.of.end(one, true);
}

BOOST_AUTO_TEST_CASE(where_only_the_memory_says_how_many_may_be_in_flight_they_follow_it) {
    requests some;
    some.of.set_bounds({.at_once = 512, .walk_part = 2, .of_memory = true});
    const auto most = [&](std::uint64_t memory) {
        some.fit(memory);
        std::vector<aged_reads::begun> all;
        while (!some.of.full()) all.push_back(some.begin(read_turn::alone));
        for (const aged_reads::begun& one : all) some.of.end(one, true);
        return all.size();
    };
    BOOST_TEST(most(1_GiB) == 512u);
    BOOST_TEST(most(32_MiB) == 128u);
    BOOST_TEST(most(64_KiB) == 1u);
    BOOST_TEST(most(128_MiB) == 512u);
    // Who says how many means that.
    some.of.set_bounds({.at_once = 512, .walk_part = 2});
    BOOST_TEST(most(1_MiB) == 512u);
}

BOOST_AUTO_TEST_SUITE_END()
