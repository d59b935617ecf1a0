// Requests whose reads wait until others have ended.
#include "shard/read_turns.hpp"

#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::detail::chunk_request;
using leat::detail::read_turn;
using leat::detail::read_turns;
using leat::test::fragments;

namespace {

constexpr unsigned at_once = 4;

/// A cache that reads four things at once, from a device that answers when it is told to.
struct turns : fragments {
    explicit turns(manager_options options = {.reads_at_once = at_once}, unsigned shards = 1)
        : fragments(4_GiB, shards * 16_MiB, 1_MiB, shards, options) {
        source->held = true;
    }
    ~turns() { source->held = false; }

    /// So many requests that have nothing in common, from `offset` on.
    void ask(unsigned count, std::uint64_t offset, std::uint64_t size = 4_KiB) {
        for (unsigned i = 0; i < count; ++i)
            asked.push_back(owner.spawn_on(
                0, test::right_bytes(manager, at(offset + i * 256_KiB, size)), stop.get_token()));
    }
    void wait_for_waiting(std::uint64_t count) { test::wait_for_waiting(owner, manager, count); }
    /// Whether all had the right bytes.
    [[nodiscard]] bool all() {
        source->held = false;
        bool right = true;
        for (spawned<bool>& one : asked) right = one.get() && right;
        asked.clear();
        return right;
    }

    std::stop_source stop;
    std::vector<spawned<bool>> asked;
};

struct requests {
    requests() { of.set_at_once(16, 2); }
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
    some.of.end(some.of.begin(read_turn::alone));
    for (const read_turn kind : {read_turn::walk_again, read_turn::walk, read_turn::ahead}) {
        chunk_request& waits = some.wait(kind);
        const read_turns::taken first = some.of.begin(read_turn::walk);
        BOOST_TEST(!some.of.full(kind));
        BOOST_TEST(some.of.next() == &waits);
        const read_turns::taken second = some.of.begin(read_turn::walk);
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
        some.of.end(first);
        BOOST_TEST(some.of.next() == &waits);
        BOOST_TEST(some.of.must_wait(kind));
        some.of.remove(waits);
        some.of.end(second);
    }
}

BOOST_AUTO_TEST_CASE(a_window_of_several_fragments_takes_two_turns) {
    for (const std::size_t fragments : {1U, 2U, 3U, 100U}) {
        requests some;
        some.of.set_at_once(80, 10);
        some.of.end(some.of.begin(read_turn::alone));
        std::size_t count = 0;
        std::vector<read_turns::taken> all;
        for (; !some.of.full(read_turn::walk); ++count)
            all.push_back(some.of.begin(read_turn::walk, fragments));
        BOOST_TEST(count == (fragments == 1 ? 10U : 5U));
        BOOST_TEST(some.of.in_flight() == count);
        for (const read_turns::taken& one : all) some.of.end(one);
        BOOST_TEST(some.of.in_flight() == 0u);
        BOOST_TEST(!some.of.full(read_turn::walk));
    }
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_ahead_takes_none_of_the_turns_of_those_who_wait) {
    requests some;
    some.of.end(some.of.begin(read_turn::alone));
    const read_turns::taken ahead = some.of.begin(read_turn::ahead, 2);
    BOOST_TEST(some.of.full(read_turn::ahead));
    BOOST_TEST(!some.of.full(read_turn::walk));
    chunk_request& later = some.wait(read_turn::ahead);
    BOOST_TEST(some.of.next() == nullptr);
    BOOST_TEST(!some.of.must_wait(read_turn::walk));
    const read_turns::taken walk = some.of.begin(read_turn::walk);
    some.of.end(ahead);
    BOOST_TEST(some.of.next() == &later);
    const read_turns::taken second = some.of.begin(read_turn::walk);
    BOOST_TEST(some.of.next() == nullptr);
    some.of.end(walk);
    some.of.end(second);
    some.of.remove(later);
}

BOOST_AUTO_TEST_CASE(one_that_asks_for_one_thing_does_not_pass_walks_that_could_begin) {
    requests some;
    some.of.set_at_once(1, 1);
    chunk_request& walk = some.wait(read_turn::walk);
    unsigned before = 0;
    // Whoever has had something asks again at once.
    for (read_turns::taken last = some.of.begin(read_turn::alone);; ++before) {
        some.of.end(last);
        BOOST_TEST(some.of.must_wait(read_turn::alone));
        chunk_request& again = some.wait(read_turn::alone);
        chunk_request* const next = some.of.next();
        some.of.remove(again);
        if (next == &walk) break;
        last = some.of.begin(read_turn::alone);
    }
    BOOST_TEST(before == 3u);
    some.of.remove(walk);
}

BOOST_AUTO_TEST_CASE(where_nobody_asks_for_one_thing_those_who_go_through_files_have_all_turns) {
    requests some;
    chunk_request& waits = some.wait(read_turn::walk);
    std::vector<read_turns::taken> all;
    for (int i = 0; i < 15; ++i) {
        all.push_back(some.of.begin(read_turn::walk));
        BOOST_TEST(some.of.next() == &waits);
    }
    all.push_back(some.of.begin(read_turn::alone));
    BOOST_TEST(some.of.next() == nullptr);
    for (const read_turns::taken& one : all) some.of.end(one);
    // As long as one was among the latest reads.
    for (int i = 0; i < 4095; ++i) some.of.end(some.of.begin(read_turn::walk));
    read_turns::taken first = some.of.begin(read_turn::walk, 2);
    BOOST_TEST(some.of.full(read_turn::walk));
    some.of.end(first);
    first = some.of.begin(read_turn::walk, 2);
    BOOST_TEST(!some.of.full(read_turn::walk));
    some.of.end(first);
    some.of.remove(waits);
}

BOOST_AUTO_TEST_CASE(all_turns_are_had_by_those_who_ask_for_one_thing) {
    requests some;
    chunk_request& waits = some.wait(read_turn::alone);
    read_turns::taken last;
    for (int i = 0; i < 16; ++i) {
        BOOST_TEST(some.of.next() == &waits);
        last = some.of.begin(i < 2 ? read_turn::walk : read_turn::alone);
    }
    BOOST_TEST(some.of.full());
    BOOST_TEST(some.of.next() == nullptr);
    some.of.end(last);
    BOOST_TEST(some.of.next() == &waits);
    some.of.remove(waits);
}

BOOST_AUTO_TEST_CASE(one_of_few_turns_is_for_files) {
    requests some;
    some.of.end(some.of.begin(read_turn::alone));
    for (unsigned count = 1; count < 16; ++count) {
        some.of.set_at_once(count, 1);
        BOOST_TEST(!some.of.full(read_turn::walk));
        const read_turns::taken one = some.of.begin(read_turn::walk, 100);
        BOOST_TEST(some.of.full(read_turn::walk));
        BOOST_TEST(some.of.full(read_turn::alone) == (count == 1));
        some.of.end(one);
    }
}

BOOST_AUTO_TEST_CASE(reads_that_hang_keep_their_turns_for_three_ages) {
    requests some;
    some.of.end(some.of.begin(read_turn::alone));
    const read_turns::taken first = some.of.begin(read_turn::walk);
    const read_turns::taken other = some.of.begin(read_turn::walk);
    for (int ages = 0; ages < 2; ++ages) {
        BOOST_TEST(some.of.grow_older());
        BOOST_TEST(some.of.full(read_turn::walk));
    }
    const read_turns::taken late = some.of.begin(read_turn::alone);
    some.of.grow_older();
    BOOST_TEST(some.of.in_flight() == 1u);
    BOOST_TEST(!some.of.full(read_turn::walk));
    const read_turns::taken second = some.of.begin(read_turn::walk);
    // Their ends count no more.
    some.of.end(first);
    some.of.end(other);
    BOOST_TEST(some.of.in_flight() == 2u);
    some.of.end(second);
    some.of.end(late);
    BOOST_TEST(some.of.in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(reads_of_a_slow_source_keep_their_turns) {
    requests some;
    std::deque<read_turns::taken> all;
    for (int ages = 0; ages < 100; ++ages) {
        while (!some.of.full()) all.push_back(some.of.begin(read_turn::alone));
        BOOST_TEST(all.size() == 16u);
        some.of.grow_older();
        // So each takes four ages.
        for (int i = 0; i < 4; ++i) {
            some.of.end(all.front());
            all.pop_front();
        }
    }
}

BOOST_AUTO_TEST_CASE(three_times_as_many_may_hang_as_may_be_in_flight) {
    requests some;
    std::vector<read_turns::taken> all;
    for (int ages = 0; ages < 100; ++ages) {
        while (!some.of.full())
            all.push_back(
                some.of.begin(all.size() % 2 != 0 ? read_turn::walk : read_turn::alone, 2));
        some.of.grow_older();
    }
    BOOST_TEST(all.size() == 4 * 16u);
    BOOST_TEST(!some.of.grow_older());  // as nothing has come of the last ones
    for (const read_turns::taken& one : all) some.of.end(one);
    BOOST_TEST(some.of.in_flight() == 0u);
    BOOST_TEST(!some.of.full(read_turn::walk));
}

BOOST_AUTO_TEST_CASE(no_more_is_read_at_once_and_who_waits_for_a_turn_keeps_no_memory) {
    turns with;
    with.ask(20, 0);
    with.wait_for_reads(at_once);
    with.wait_for_waiting(20);
    const cache_statistics now = with.sum();
    BOOST_TEST(now.reads == at_once);
    BOOST_TEST(now.filling_bytes == at_once * 4_KiB);
    BOOST_TEST(now.buffer_waits == 0u);
    BOOST_TEST(with.all());
    BOOST_TEST(with.source->most_in_flight == static_cast<int>(at_once));
    BOOST_TEST(with.sum().reads == 20u);
}

BOOST_AUTO_TEST_CASE(those_who_wait_for_one_piece_share_its_read) {
    turns with;
    with.ask(at_once, 10_MiB);
    with.wait_for_reads(at_once);
    for (int i = 0; i < 10; ++i) with.ask(2, 0);
    with.wait_for_waiting(at_once + 20);
    BOOST_TEST(with.all());
    BOOST_TEST(with.sum().reads == at_once + 2u);
}

namespace {
void one_goes_before_a_crowd(std::uint64_t grain) {
    turns with{{.reads_at_once = at_once, .grain = grain}};
    // The source is asked for each fragment alone.
    const std::uint64_t begun = at_once * std::max(grain / 64_KiB, std::uint64_t{1});
    with.ask(at_once, 10_MiB);
    with.wait_for_reads(static_cast<int>(begun));
    auto walk = [](chunk_manager& of, file from, std::uint64_t offset) -> task<bool> {
        slice_stream stream = of.slices(from, offset, 128_KiB, {.depth = 0, .slice_size = 64_KiB});
        const slice first = co_await stream.next();
        co_return first.size() == 64_KiB && test::is_pattern(first.bytes(), 1, offset);
    };
    for (std::uint64_t i = 0; i < 20; ++i)
        with.asked.push_back(
            with.owner.spawn_on(0, walk(with.manager, with.from, 20_MiB + i * 256_KiB)));
    with.wait_for_waiting(at_once + 20);
    with.ask(1, 0);
    with.wait_for_waiting(at_once + 21);
    BOOST_TEST(with.all());
    std::size_t before = 0;
    for (const test::script::range& one : with.source->log) {
        if (one.offset == 0) break;
        ++before;
    }
    // It came last, and has the first turn.
    BOOST_TEST(before == begun, "" << before << " went before, by " << grain);
}
}  // namespace

BOOST_AUTO_TEST_CASE(one_request_goes_before_a_crowd_that_goes_through_files) {
    one_goes_before_a_crowd(4_KiB);
    // What comes with it since the source reads no less says nothing of who asks.
    one_goes_before_a_crowd(128_KiB);
}

BOOST_AUTO_TEST_CASE(a_turn_is_waited_for_as_long_as_it_takes) {
    turns with{{.pin_deadline = 20ms, .reads_at_once = 1}};
    with.ask(3, 0);
    with.wait_for_waiting(3);
    std::this_thread::sleep_for(100ms);
    BOOST_TEST(with.sum().waiting == 3u);
    BOOST_TEST(with.all());
}

BOOST_AUTO_TEST_CASE(nor_is_it_an_error_to_those_who_do_not_wait_for_buffers) {
    turns with;
    with.ask(at_once, 0);
    with.wait_for_reads(at_once);
    with.asked.push_back(with.owner.spawn_on(
        0, test::right_bytes(with.manager, with.at(20_MiB, 4_KiB, hint::no_wait))));
    with.wait_for_waiting(at_once + 1);
    BOOST_TEST(with.all());
}

BOOST_AUTO_TEST_CASE(but_who_finds_none_then_does_not_begin_to_wait) {
    turns with{{.pin_deadline = time_span::max(), .reads_at_once = 1}};
    with.source->held = false;
    std::vector<slice> pins = with.pin_all(0, 1_MiB);
    pins.pop_back();
    with.source->held = true;
    // In the last place that could be had.
    spawned<slice> last = with.owner.spawn_on(0, test::get(with.manager, with.at(200_MiB, 4_KiB)));
    with.wait_for_reads(1);
    spawned<boost::system::error_code> none =
        with.owner.spawn_on(0, test::code_of(with.manager, with.at(300_MiB, 1_MiB, hint::no_wait)));
    with.wait_for_waiting(2);
    with.source->held = false;
    BOOST_TEST(detail::unbuffered(none.get()));
    BOOST_TEST(last.get().size() == 4_KiB);
}

BOOST_AUTO_TEST_CASE(nor_does_a_walk_wait_for_a_whole_chunk_then) {
    turns with{{.pin_deadline = time_span::max(), .reads_at_once = 1}};
    with.source->held = false;
    // Small pieces fill the memory, and some of them are pinned in each segment.
    std::vector<slice> pins;
    for (std::uint64_t i = 0; i < 4500; ++i) {
        slice one = with.get(i * 256_KiB, 4_KiB);
        if (i % 100 == 0) pins.push_back(std::move(one));
    }
    with.source->held = true;
    with.ask(1, 2_GiB);
    with.wait_for_reads(1);
    auto first_of_walk = [](chunk_manager& of, file from) -> task<bool> {
        slice_stream stream = of.slices(from, 3_GiB, 2_MiB, {.depth = 0, .slice_size = 64_KiB});
        const slice first = co_await stream.next();
        co_return first.size() == 64_KiB && test::is_pattern(first.bytes(), 1, 3_GiB);
    };
    with.asked.push_back(with.owner.spawn_on(0, first_of_walk(with.manager, with.from)));
    with.wait_for_waiting(2);
    BOOST_TEST(with.all());
}

BOOST_AUTO_TEST_CASE(requests_for_more_of_a_chunk_that_is_there_take_turns_too) {
    turns with{{.reads_at_once = at_once, .grain = 1_MiB}};
    for (std::uint64_t i = 0; i < 10; ++i)
        with.asked.push_back(
            with.owner.spawn_on(0, test::right_bytes(with.manager, with.at(i * 64_KiB, 4_KiB))));
    with.wait_for_reads(at_once);
    with.wait_for_waiting(10);
    BOOST_TEST(with.sum().reads == at_once);
    BOOST_TEST(with.all());
}

BOOST_AUTO_TEST_CASE(what_is_read_for_nobody_takes_no_turn) {
    turns with{{.reads_at_once = 1, .grain = 1_MiB}};
    with.source->held = false;
    with.source->hold_background = true;
    BOOST_TEST(with.right(0, 4_KiB));
    with.wait_for_reads(1);
    BOOST_TEST(with.right(5_MiB, 4_KiB));
    with.source->hold_background = false;
}

BOOST_AUTO_TEST_CASE(what_is_read_for_another_is_had_without_a_turn) {
    turns with{{.reads_at_once = 1}};
    with.ask(1, 0);
    with.wait_for_reads(1);
    int done = 0;
    auto counted = [](const turns& of, std::uint64_t offset, int& count) -> task<int> {
        const slice got = co_await of.manager.get_chunk(of.at(offset, 4_KiB));
        co_return ++count;
    };
    std::vector<spawned<int>> others;
    for (std::uint64_t i = 1; i < 40; ++i)
        others.push_back(with.owner.spawn_on(0, counted(with, i * 256_KiB, done)));
    spawned<int> late = with.owner.spawn_on(0, counted(with, 30_MiB + 256_KiB, done));
    with.wait_for_waiting(41);
    auto first_of_walk = [](chunk_manager& of, file from) -> task<bool> {
        slice_stream stream =
            of.slices(from, 30_MiB + 64_KiB, 512_KiB, {.depth = 0, .slice_size = 64_KiB});
        co_return (co_await stream.next()).size() == 64_KiB;
    };
    with.asked.push_back(with.owner.spawn_on(0, first_of_walk(with.manager, with.from)));
    with.wait_for_waiting(42);
    BOOST_TEST(with.all());
    BOOST_TEST(late.get() < 20);
    for (spawned<int>& one : others) BOOST_TEST(one.get() > 0);
}

BOOST_AUTO_TEST_CASE(who_gives_up_takes_no_turn) {
    turns with;
    with.ask(at_once, 0);
    with.wait_for_reads(at_once);
    std::vector<spawned<bool>> first = std::exchange(with.asked, {});
    with.ask(5, 20_MiB);
    with.wait_for_waiting(at_once + 5);
    with.stop.request_stop();
    for (spawned<bool>& one : with.asked) BOOST_CHECK_THROW(one.get(), system_error);
    for (spawned<bool>& one : first) BOOST_CHECK_THROW(one.get(), system_error);
    with.asked.clear();
    with.stop = {};
    with.ask(1, 40_MiB);
    BOOST_TEST(with.all());
    for (const test::script::range& one : with.source->log)
        BOOST_TEST((one.offset < 20_MiB || one.offset == 40_MiB));
}

BOOST_AUTO_TEST_CASE(a_read_that_fails_ends_a_turn) {
    turns with;
    with.source->bad_from = 0;
    with.source->bad_to = 10_MiB;
    std::vector<spawned<boost::system::error_code>> bad;
    for (std::uint64_t i = 0; i < 8; ++i)
        bad.push_back(
            with.owner.spawn_on(0, test::code_of(with.manager, with.at(i * 256_KiB, 4_KiB))));
    with.wait_for_waiting(8);
    with.ask(8, 20_MiB);
    BOOST_TEST(with.all());
    for (auto& one : bad) BOOST_TEST(one.get() == system_error_code(EIO));
}

BOOST_AUTO_TEST_CASE(the_requests_of_one_manager_do_not_keep_those_of_the_one_below_waiting) {
    const auto source = fragments::script_with(64_MiB);
    engine owner{test::small_engine(1, 32_MiB, 1_MiB)};
    chunk_manager lower{owner, test::scripted_source{source}, {.reads_at_once = 1}};
    chunk_manager upper{owner, lower, {.reads_at_once = 1}};
    const file from = owner.run(upper.open("any"));
    std::vector<spawned<bool>> asked;
    for (std::uint64_t i = 0; i < 50; ++i)
        asked.push_back(owner.spawn_on(
            0, test::right_bytes(upper, {from, i * 1_MiB, static_cast<std::uint32_t>(4_KiB)})));
    for (spawned<bool>& one : asked) BOOST_TEST(one.get());
    BOOST_TEST(source->most_in_flight == 1);
}

BOOST_AUTO_TEST_CASE(the_engine_stops_while_requests_wait_for_turns) {
    turns with{{.reads_at_once = 2}, 2};
    std::vector<spawned<boost::system::error_code>> asked;
    for (std::uint64_t i = 0; i < 40; ++i)
        asked.push_back(with.owner.spawn_on(
            static_cast<unsigned>(i % 2), test::code_of(with.manager, with.at(i * 1_MiB, 4_KiB))));
    with.wait_for_reads(4);
    with.owner.stop();
    BOOST_TEST(!with.owner.join().code);
    for (auto& one : asked) BOOST_TEST(one.get() == errc::stopped);
}

BOOST_AUTO_TEST_CASE(so_many_reads_that_no_device_takes_are_refused) {
    engine owner{test::small_engine(1, 4_MiB, 1_MiB)};
    const auto make = [&] {
        const chunk_manager manager{
            owner, test::scripted_source{test::script_of(1_MiB)}, {.reads_at_once = 65'537}};
    };
    BOOST_CHECK_EXCEPTION(make(), system_error, [&](const system_error& error) {
        return error.code() == errc::invalid_option &&
               std::string{error.what()}.find("reads_at_once is 65537, more than 65536") !=
                   std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(
    where_nothing_is_said_it_is_as_the_source_says_and_as_half_of_the_memory_holds) {
    for (const auto& [told, memory, most] :
         {std::tuple{5U, 16_MiB, 5}, std::tuple{512U, 2_MiB - 128_KiB, 16},
          std::tuple{0U, 2_MiB - 128_KiB, 16}}) {
        const auto source = fragments::script_with(1_GiB);
        source->reads_at_once = told;
        source->held = true;
        engine owner{test::small_engine(1, memory, 256_KiB)};
        chunk_manager manager{owner, test::scripted_source{source}};
        const file from = owner.run(manager.open("any"));
        std::vector<spawned<bool>> asked;
        for (std::uint64_t i = 0; i < 30; ++i)
            asked.push_back(owner.spawn_on(
                0,
                test::right_bytes(manager, {from, i * 1_MiB, static_cast<std::uint32_t>(4_KiB)})));
        test::wait_for_waiting(owner, manager, 30);
        while (source->in_flight != most) std::this_thread::yield();
        source->held = false;
        for (spawned<bool>& one : asked) BOOST_TEST(one.get());
        BOOST_TEST(source->most_in_flight == most);
    }
}

BOOST_AUTO_TEST_CASE(one_request_does_not_wait_for_those_that_go_through_files) {
    turns with{{.reads_at_once = 16}};
    with.source->held = false;
    BOOST_TEST(with.right(10_MiB, 4_KiB));  // there are such
    with.source->held = true;
    const auto walk = [](chunk_manager& of, file from, std::uint64_t offset) -> task<bool> {
        slice_stream stream = of.slices(from, offset, 128_KiB, {.depth = 0, .slice_size = 64_KiB});
        const slice first = co_await stream.next();
        co_return first.size() == 64_KiB && test::is_pattern(first.bytes(), 1, offset);
    };
    for (std::uint64_t i = 0; i < 20; ++i)
        with.asked.push_back(
            with.owner.spawn_on(0, walk(with.manager, with.from, 20_MiB + i * 256_KiB)));
    with.wait_for_waiting(20);
    with.wait_for_reads(8);  // of four windows: the source is asked for each fragment alone
    // Nothing has ended, and they begin.
    with.ask(12, 0);
    with.wait_for_reads(20);
    with.wait_for_waiting(32);
    BOOST_TEST(with.all());
}

BOOST_AUTO_TEST_CASE(reads_that_hang_do_not_keep_others_waiting_for_ever) {
    turns with;
    with.source->held = false;
    with.source->held_from = 2_GiB;
    with.ask(at_once + 2, 2_GiB);
    with.wait_for_waiting(at_once + 2);
    BOOST_TEST(with.right(0, 4_KiB));
    with.source->held_from = ~std::uint64_t{0};
    BOOST_TEST(with.all());
}
