// Requests for something else beside reads that hang, of which nobody knows how long they take.
#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(reads_that_hang_test)

using namespace leat;
using namespace leat::literals;
using leat::test::fragments;

namespace {

/// What lies behind the first 2 GiB of the file hangs, and so many requests of `size` bytes wait
/// for that.
std::vector<spawned<bool>> hang(fragments& with, unsigned count, std::uint64_t size) {
    with.source->held_from = 2_GiB;
    std::vector<spawned<bool>> asked;
    for (unsigned i = 0; i < count; ++i)
        asked.push_back(with.owner.spawn_on(
            0, test::right_bytes(with.manager, with.at(2_GiB + i * 8_MiB, size))));
    test::wait_for_waiting(with.owner, with.manager, count);
    return asked;
}

}  // namespace

BOOST_AUTO_TEST_CASE(large_requests_do_not_wait_for_ever_behind_large_reads_that_hang) {
    fragments with{4_GiB, 64_MiB, 2_MiB};
    std::vector<spawned<bool>> asked = hang(with, 12, 2_MiB);
    BOOST_TEST(with.right(0, 2_MiB));
    with.source->held_from = ~std::uint64_t{0};
    for (spawned<bool>& one : asked) BOOST_TEST(one.get());
}

// The buffer of one that is read in pieces counts once.
BOOST_AUTO_TEST_CASE(nor_behind_the_pieces_of_one_that_are_many_times_as_long_together) {
    fragments with{
        4_GiB, 64_MiB, 4_MiB, 1, {.competing_fill_bytes = 8 * fill_piece, .reads_at_once = 128}};
    std::vector<spawned<bool>> asked = hang(with, 1, 4_KiB);
    asked.push_back(with.owner.spawn_on(0, test::right_bytes(with.manager, with.at(3_GiB, 4_MiB))));
    with.wait_for_reads(1 + 8);
    BOOST_TEST(with.right(0, 4_MiB));
    with.source->held_from = ~std::uint64_t{0};
    for (spawned<bool>& one : asked) BOOST_TEST(one.get());
}

BOOST_AUTO_TEST_CASE(memory_that_has_become_more_has_turns_for_more) {
    engine_options options = test::small_engine(1, 16_MiB, 1_MiB);
    options.most_memory = 64_MiB;
    fragments with{4_GiB, options, {}};
    // A quarter of the memory has room for them, and nobody waits for a turn.
    std::vector<spawned<bool>> asked = hang(with, 64, 4_KiB);
    with.wait_for_reads(64);
    with.owner.set_memory(64_MiB);
    while (with.sum().memory_bytes != 64_MiB) std::this_thread::yield();
    const std::uint64_t before = with.sum().turn_waits;
    BOOST_TEST(with.right(0, 4_KiB));
    BOOST_TEST(with.sum().turn_waits == before);
    with.source->held_from = ~std::uint64_t{0};
    for (spawned<bool>& one : asked) BOOST_TEST(one.get());
}

BOOST_AUTO_TEST_CASE(nor_does_what_nobody_waits_for) {
    fragments with{4_GiB, 64_MiB, 2_MiB, 1, {.grain = 2_MiB}};
    with.source->hold_background = true;
    for (unsigned i = 0; i < 8; ++i) BOOST_TEST(with.right(2_GiB + i * 8_MiB, 4_KiB));
    with.wait_for_reads(8);
    with.source->held_from = 2_GiB;
    with.source->hold_background = false;
    BOOST_TEST(with.right(0, 4_KiB));
    const auto rest_is_read = [&] {
        for (const test::extent_read& one : with.reads())
            if (one.offset == 4_KiB) return true;
        return false;
    };
    while (!rest_is_read()) std::this_thread::yield();
    with.source->held_from = ~std::uint64_t{0};
}

BOOST_AUTO_TEST_CASE(no_more_of_them_follow_than_leave_half_of_the_memory) {
    fragments with{4_GiB, 64_MiB, 4_MiB, 1, {.pin_deadline = std::chrono::seconds{30}}};
    // Eight are read at once, into half of the memory.
    std::vector<spawned<bool>> asked = hang(with, 8, 4_MiB);
    spawned<bool> beside =
        with.owner.spawn_on(0, test::right_bytes(with.manager, with.at(0, 4_MiB)));
    // As many ages as it took above, and some more.
    std::this_thread::sleep_for(std::chrono::seconds{6});
    for (const test::extent_read& one : with.reads()) BOOST_TEST(one.offset >= 2_GiB);
    BOOST_TEST(with.right(64_MiB, 4_KiB));
    with.source->held_from = ~std::uint64_t{0};
    for (spawned<bool>& one : asked) BOOST_TEST(one.get());
    BOOST_TEST(beside.get());
}

BOOST_AUTO_TEST_SUITE_END()
