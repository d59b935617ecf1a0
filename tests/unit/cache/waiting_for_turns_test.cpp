// Requests of a cache whose reads wait for their turns.
#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(waiting_for_turns_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
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
    /// The first pieces of so many walks through two fragments each, from `offset` on.
    void ask_walks(unsigned count, std::uint64_t offset) {
        const auto walk = [](chunk_manager& of, file in, std::uint64_t begin) -> task<bool> {
            slice_stream stream = of.slices(in, begin, 128_KiB, {.depth = 0, .slice_size = 64_KiB});
            const slice first = co_await stream.next();
            co_return first.size() == 64_KiB && test::is_pattern(first.bytes(), 1, begin);
        };
        for (unsigned i = 0; i < count; ++i)
            asked.push_back(owner.spawn_on(0, walk(manager, from, offset + i * 256_KiB)));
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

}  // namespace

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
    with.ask_walks(20, 20_MiB);
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

BOOST_AUTO_TEST_CASE(those_who_shared_a_read_that_has_failed_take_turns) {
    turns with;
    with.source->bad_from = 512_KiB;
    with.source->bad_to = 1_MiB;
    spawned<boost::system::error_code> whole =
        with.owner.spawn_on(0, test::code_of(with.manager, with.at(0, 1_MiB)));
    with.wait_for_reads(1);
    for (std::uint64_t i = 0; i < 40; ++i)
        with.asked.push_back(
            with.owner.spawn_on(0, test::right_bytes(with.manager, with.at(i * 8_KiB, 4_KiB))));
    with.wait_for_waiting(41);
    BOOST_TEST(with.all());
    BOOST_TEST(whole.get() == system_error_code(EIO));
    BOOST_TEST(with.source->most_in_flight <= static_cast<int>(at_once));
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
    where_nothing_is_said_it_is_as_the_source_says_and_as_a_quarter_of_the_memory_holds) {
    for (const auto& [told, memory, most] :
         {std::tuple{5U, 16_MiB, 5}, std::tuple{512U, 2_MiB - 128_KiB, 8},
          std::tuple{0U, 2_MiB - 128_KiB, 8}}) {
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
    with.ask_walks(20, 20_MiB);
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

namespace {
/// One waited for memory, and another took the only turn; now there is memory, and that one hangs.
struct behind_one_that_hangs : turns {
    explicit behind_one_that_hangs(time_span pin_deadline)
        : turns({.pin_deadline = pin_deadline, .reads_at_once = 1}) {
        source->held = false;
        std::vector<slice> pins = pin_all(0, 1_MiB);
        // Room is left for small ones only.
        pins.back() = {};
        pins.back() = get(900_MiB, 64_KiB);
        ask(1, 1_GiB, 1_MiB);
        wait_for_waiting(1);
        source->held_from = 2_GiB;
        hangs.push_back(owner.spawn_on(0, test::get(manager, at(2_GiB, 4_KiB))));
        wait_for_reads(1);
    }
    /// Whether it gives what it should, when it ends.
    [[nodiscard]] bool ends() {
        source->held_from = ~std::uint64_t{0};
        return hangs.front().get().size() == 4_KiB;
    }

    std::vector<spawned<slice>> hangs;
};
}  // namespace

BOOST_AUTO_TEST_CASE(nor_those_who_wait_for_memory) {
    behind_one_that_hangs with{time_span::max()};
    BOOST_TEST(with.all());
    BOOST_TEST(with.ends());
}

BOOST_AUTO_TEST_CASE(a_deadline_does_not_end_a_wait_for_memory_that_has_come) {
    behind_one_that_hangs with{200ms};
    std::this_thread::sleep_for(400ms);
    BOOST_TEST(with.sum().waiting == 2u);
    BOOST_TEST(with.ends());
    BOOST_TEST(with.all());
}

BOOST_AUTO_TEST_SUITE_END()
