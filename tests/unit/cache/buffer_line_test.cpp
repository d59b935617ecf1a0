// Requests that wait for a buffer: in order, by the size of what they need, and by place.
#include "shard/buffer_line.hpp"

#include "shard/chunk.hpp"

#include <leat/engine/options.hpp>

#include <boost/test/unit_test.hpp>

#include <bitset>
#include <deque>
#include <vector>

BOOST_AUTO_TEST_SUITE(buffer_line_test)

using namespace leat;
using namespace leat::literals;
using namespace leat::detail;

namespace {

struct line {
    chunk_request& come(file_record& file,
                        std::uint64_t index,
                        std::uint64_t in = 0,
                        std::size_t queue = 5,
                        patience how = patience::deadline) {
        chunk_request& one = all.emplace_back();
        one.file = &file;
        one.index = index;
        one.in = in;
        one.size = 100;
        one.patience = how;
        waiting.push(one, of(file), queue);
        return one;
    }
    std::vector<chunk_request*> at(const file_record& file,
                                   std::uint64_t index,
                                   std::uint64_t from,
                                   std::uint64_t to) {
        std::vector<chunk_request*> found;
        waiting.each_at(file, index, from, to, [&](chunk_request& one) { found.push_back(&one); });
        return found;
    }
    /// Of the first manager, those in this queue.
    std::vector<chunk_request*> in(std::size_t queue) {
        std::vector<chunk_request*> found;
        for (chunk_request& one : manager.for_buffer(read_turn::alone, queue))
            found.push_back(&one);
        return found;
    }
    /// Those to be looked at, which stand in no queue any more.
    std::vector<chunk_request*> over() {
        std::vector<chunk_request*> found;
        while (chunk_request* const next = waiting.next_over()) {
            found.push_back(next);
            waiting.move(*next, 0);
        }
        return found;
    }
    manager_line& of(const file_record& file) { return &file == &other ? another : manager; }

    manager_line manager;
    manager_line another;
    std::deque<chunk_request> all;
    buffer_line waiting;
    file_record film;
    file_record song;
    file_record other;  // of another manager
};

using several = std::vector<chunk_request*>;

}  // namespace

BOOST_AUTO_TEST_CASE(each_size_of_buffers_has_a_queue_and_none_is_that_of_those_held_up) {
    std::vector<std::size_t> all;
    for (std::uint64_t bytes = 4_KiB; bytes <= 1_GiB; bytes *= 2) {
        const std::size_t queue = buffer_line::queue_for(bytes);
        BOOST_TEST(queue != buffer_line::held_up);
        BOOST_TEST(queue < manager_line::queues);
        BOOST_TEST(queue == all.size());
        all.push_back(queue);
        // Until the next power of two nobody needs a buffer of another queue.
        BOOST_TEST(buffer_line::queue_for(2 * bytes - 1) == queue);
    }
    BOOST_TEST(buffer_line::queue_for(1) == 0U);
    BOOST_TEST(buffer_line::queue_for(~std::uint64_t{0}) == manager_line::queues - 1);
}

BOOST_AUTO_TEST_CASE(in_each_queue_they_stand_in_the_order_of_their_arrival) {
    line of;
    several small;
    several large;
    for (const std::uint64_t index : {7u, 3u, 7u, 1u, 3u}) {
        small.push_back(&of.come(of.film, index, 0, 1));
        large.push_back(&of.come(of.film, index, 0, 12));
    }
    BOOST_TEST((of.in(1) == small));
    BOOST_TEST((of.in(12) == large));
    for (chunk_request* const one : small) {
        BOOST_TEST((of.waiting.next_of(1) == one));
        of.waiting.remove(*one);
    }
    BOOST_TEST(!of.waiting.empty());
    BOOST_TEST((of.in(12) == large));
    for (chunk_request* const one : large) of.waiting.remove(*one);
    BOOST_TEST(of.waiting.empty());
}

BOOST_AUTO_TEST_CASE(who_waits_knows_it_and_in_which_queue) {
    line of;
    const chunk_request& one = of.come(of.film, 1, 0, 9);
    BOOST_TEST((one.waits == chunk_request::place::buffer));
    BOOST_TEST(unsigned{one.line} == 9u);
}

BOOST_AUTO_TEST_CASE(
    those_that_begin_in_a_range_of_a_chunk_are_found_in_the_order_of_their_places) {
    line of;
    for (std::uint64_t index = 0; index < 50; ++index) of.come(of.film, index, 64_KiB);
    chunk_request& at_end = of.come(of.song, 25, 128_KiB, 5);
    chunk_request& inside = of.come(of.song, 25, 100_KiB, 1);
    chunk_request& at_start = of.come(of.song, 25, 64_KiB, 12);
    chunk_request& again = of.come(of.song, 25, 100_KiB, 8);
    chunk_request& before = of.come(of.song, 25, 64_KiB - 1, 5);
    of.come(of.song, 24, 100_KiB);
    of.come(of.song, 26, 100_KiB);

    BOOST_TEST((of.at(of.song, 25, 64_KiB, 128_KiB) == several{&at_start, &inside, &again}));
    BOOST_TEST((of.at(of.song, 25, 0, 64_KiB) == several{&before}));
    BOOST_TEST((of.at(of.song, 25, 128_KiB, 192_KiB) == several{&at_end}));
    BOOST_TEST((of.at(of.song, 25, 129_KiB, 1_MiB).empty()));
    BOOST_TEST((of.at(of.song, 23, 0, 1_MiB).empty()));
    BOOST_TEST(of.at(of.film, 25, 0, 1_MiB).size() == 1u);
    BOOST_TEST(of.at(of.film, 50, 0, 1_MiB).empty());
}

BOOST_AUTO_TEST_CASE(the_visitor_may_remove_the_one_it_is_given) {
    line of;
    several all;
    for (std::size_t i = 0; i < 20; ++i)
        all.push_back(&of.come(of.film, 3, 8_KiB * (i / 4), 1 + i % 3));
    several seen;
    of.waiting.each_at(of.film, 3, 0, 64_KiB, [&](chunk_request& one) {
        seen.push_back(&one);
        if (seen.size() % 2 == 0) of.waiting.remove(one);
    });
    BOOST_TEST((seen == all));
    several left;
    for (std::size_t i = 0; i < all.size(); i += 2) left.push_back(all[i]);
    BOOST_TEST((of.at(of.film, 3, 0, 64_KiB) == left));
    std::size_t visited = 0;
    of.waiting.each([&](chunk_request& one) {
        ++visited;
        of.waiting.remove(one);
    });
    BOOST_TEST(visited == left.size());
    BOOST_TEST(of.waiting.empty());
    BOOST_TEST(of.manager.empty());
    BOOST_TEST(!of.manager.is_linked());
}

BOOST_AUTO_TEST_CASE(whoever_waits_for_something_else_keeps_his_place_among_all) {
    line of;
    chunk_request& first = of.come(of.film, 1, 0, 5);
    chunk_request& second = of.come(of.film, 1, 0, 5);
    chunk_request& third = of.come(of.film, 1, 0, 12);
    of.waiting.move(first, 12);
    BOOST_TEST((of.in(5) == several{&second}));
    BOOST_TEST((of.in(12) == several{&first, &third}));
    BOOST_TEST(unsigned{first.line} == 12u);
    // By its place it is found where it was.
    BOOST_TEST((of.at(of.film, 1, 0, 1) == several{&first, &second, &third}));
    of.waiting.move(first, 5);
    BOOST_TEST((of.in(5) == several{&first, &second}));
    of.waiting.remove(first);
    BOOST_TEST((of.in(5) == several{&second}));
    BOOST_TEST((of.at(of.film, 1, 0, 1) == several{&second, &third}));
}

BOOST_AUTO_TEST_CASE(those_behind_a_read_stand_in_no_queue_until_it_is_over) {
    chunk read{1_MiB};
    chunk other{1_MiB};
    fill_state under_way{read};
    fill_state longer{other};
    line of;
    chunk_request& moved = of.come(of.film, 1, 0, 5);
    chunk_request& stays = of.come(of.film, 1, 4_KiB, 5);
    chunk_request& comes = of.all.emplace_back();
    chunk_request& leaves = of.all.emplace_back();
    chunk_request& later = of.all.emplace_back();
    for (chunk_request* const one : {&comes, &leaves, &later}) {
        one->file = &of.film;
        one->index = 1;
        of.waiting.push_behind(*one, of.manager, one == &later ? longer : under_way);
        BOOST_TEST((one->waits == chunk_request::place::buffer));
    }
    of.waiting.move_behind(moved, under_way);
    BOOST_TEST((of.in(5) == several{&stays}));
    BOOST_TEST(of.waiting.next_over() == nullptr);
    BOOST_TEST(unsigned{moved.line} == buffer_line::held_up);
    BOOST_TEST((of.at(of.film, 1, 0, 8_KiB) == several{&moved, &comes, &leaves, &later, &stays}));
    of.waiting.remove(leaves);
    of.waiting.release(under_way);
    BOOST_TEST(under_way.held_up.empty());
    BOOST_TEST(comes.behind == nullptr);
    BOOST_TEST((of.waiting.next_over() == &comes));
    of.waiting.move_behind(comes, longer);
    BOOST_TEST((of.waiting.next_over() == &moved));
    of.waiting.release(longer);
    BOOST_TEST((of.over() == several{&moved, &later, &comes}));
    of.waiting.move_behind(later, longer);  // the line may go before what it waits for
}

BOOST_AUTO_TEST_CASE(all_are_visited_wherever_they_stand) {
    chunk read{1_MiB};
    fill_state under_way{read};
    line of;
    chunk_request& large = of.come(of.film, 1, 0, 12);
    chunk_request& small = of.come(of.film, 3, 0, 1);
    chunk_request& held_up = of.come(of.film, 2, 0, 1);
    of.waiting.move_behind(held_up, under_way);
    several seen;
    of.waiting.each([&](chunk_request& one) { seen.push_back(&one); });
    BOOST_TEST((seen == several{&large, &held_up, &small}));
}

BOOST_AUTO_TEST_CASE(who_waits_briefly_is_known_while_he_waits) {
    line of;
    of.come(of.film, 1);
    BOOST_TEST(!of.waiting.has_brief());
    chunk_request& brief = of.come(of.film, 2, 0, 1, patience::brief);
    of.come(of.film, 2, 0, 1, patience::none);
    BOOST_TEST(of.waiting.has_brief());
    of.waiting.move(brief, 12);
    BOOST_TEST(of.waiting.has_brief());
    // Not while he waits for something else.
    of.waiting.move_turn(brief, read_turn::ahead);
    BOOST_TEST(!of.waiting.has_brief());
    of.waiting.move(brief, 12);
    BOOST_TEST(of.waiting.has_brief());
    of.waiting.remove(brief);
    BOOST_TEST(!of.waiting.has_brief());
}

BOOST_AUTO_TEST_CASE(who_came_first_is_next_whosever_manager_he_waits_with) {
    line of;
    chunk_request& first = of.come(of.other, 1);
    chunk_request& second = of.come(of.film, 1);
    chunk_request& third = of.come(of.other, 2);
    BOOST_TEST(of.waiting.next_of(4) == nullptr);
    for (chunk_request* const one : {&first, &second, &third}) {
        BOOST_TEST((of.waiting.next_of(5) == one));
        of.waiting.remove(*one);
    }
    BOOST_TEST(of.waiting.next_of(5) == nullptr);
}

BOOST_AUTO_TEST_CASE(nobody_waits_behind_those_whose_manager_may_have_no_more_reads) {
    line of;
    chunk_request& first = of.come(of.other, 1);
    chunk_request& second = of.come(of.film, 1);
    const leat::detail::aged_reads::begun age = of.another.turns.begin(read_turn::alone, 64 * 1024);
    BOOST_TEST((of.waiting.next_of(5) == &second));
    of.waiting.remove(second);
    BOOST_TEST(of.waiting.next_of(5) == nullptr);
    // They keep their places.
    chunk_request& third = of.come(of.film, 2);
    of.another.turns.end(age, true);
    BOOST_TEST((of.waiting.next_of(5) == &first));
    of.waiting.remove(first);
    BOOST_TEST((of.waiting.next_of(5) == &third));
}

BOOST_AUTO_TEST_CASE(those_who_may_have_turns_are_to_be_looked_at_and_no_more) {
    line of;
    several turns;
    for (int i = 0; i < 5; ++i) {
        turns.push_back(&of.all.emplace_back());
        turns.back()->file = i < 3 ? &of.film : &of.other;
        of.waiting.push_turn(*turns.back(), i < 3 ? of.manager : of.another, read_turn::alone);
    }
    of.manager.turns.set_bounds({.at_once = 2, .walk_part = 2});
    of.manager.turns.fit(1 << 30);
    const leat::detail::aged_reads::begun age = of.another.turns.begin(read_turn::alone, 64 * 1024);
    // One at a time: its read begins before the next is looked at.
    for (std::size_t i = 0; i < 2; ++i) {
        BOOST_TEST(of.waiting.may_take_turns());
        BOOST_TEST(of.waiting.take_turns());
        BOOST_TEST((of.waiting.next_over() == turns[i]));
        of.waiting.move(*turns[i], 5);
        static_cast<void>(of.manager.turns.begin(read_turn::alone, 64 * 1024));
    }
    BOOST_TEST(!of.waiting.may_take_turns());
    BOOST_TEST(!of.waiting.take_turns());
    of.another.turns.end(age, true);
    BOOST_TEST(of.waiting.may_take_turns());
    of.waiting.move_turn(*turns[0], read_turn::alone_again);
    BOOST_TEST(of.waiting.take_turns());
    BOOST_TEST((of.waiting.next_over() == turns[3]));
}

BOOST_AUTO_TEST_CASE(those_who_come_back_stand_where_they_have_stood) {
    line of;
    several all;
    for (std::uint64_t i = 0; i < 6; ++i) all.push_back(&of.come(of.film, i));
    for (const std::size_t which : {3U, 0U, 2U})
        of.waiting.move_turn(*all[which], read_turn::alone_again);
    BOOST_TEST((of.in(5) == several{all[1], all[4], all[5]}));
    while (of.waiting.take_turns()) of.waiting.move(*of.waiting.next_over(), 5);
    BOOST_TEST((of.in(5) == all));
}

BOOST_AUTO_TEST_CASE(
    who_has_waited_for_a_turn_only_stands_behind_those_who_have_waited_for_a_buffer) {
    line of;
    chunk_request& late = of.all.emplace_back();
    late.file = &of.film;
    of.waiting.push_turn(late, of.manager, read_turn::walk);
    chunk_request& first = of.come(of.film, 1);
    BOOST_TEST(of.waiting.take_turns());
    of.waiting.move(late, 5);
    BOOST_TEST((of.in(5) == several{&first, &late}));
}

BOOST_AUTO_TEST_CASE(who_came_first_is_next_whatever_he_needs_but_where_nothing_was_found) {
    line of;
    chunk_request& large = of.come(of.film, 1, 0, 12);
    chunk_request& small = of.come(of.film, 2, 0, 1);
    of.come(of.film, 3, 0, 12);
    std::bitset<manager_line::queues> without;
    BOOST_TEST((of.waiting.next(without) == &large));
    without.set(12);
    BOOST_TEST((of.waiting.next(without) == &small));
    without.set(1);
    BOOST_TEST(of.waiting.next(without) == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
