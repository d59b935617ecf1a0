// What is read for those who go through a file while others wait for small pieces.
#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

BOOST_AUTO_TEST_SUITE(competition_test)

using namespace leat;
using namespace leat::literals;
using leat::test::extent_read;
using leat::test::extent_reads;
using leat::test::fragments;
using leat::test::is_pattern;

namespace {

constexpr std::uint64_t walked = 60_MiB;
constexpr std::uint64_t asked_for = 300_MiB;

/// Somebody waits for a page for as long as it lives.
struct competition : fragments {
    explicit competition(std::uint64_t memory, unsigned pieces = 2)
        : fragments(
              400_MiB,
              memory,
              10_MiB,
              1,
              manager_options{.competing_fill_bytes = pieces * fill_piece, .reads_at_once = 128}),
          waits(ask()) {
        wait_for_reads(1);
    }
    ~competition() {
        source->held_at = ~std::uint64_t{0};
        BOOST_TEST(waits.get());
        BOOST_TEST(owner.run(manager.statistics()).failed_reads == 0u);
    }
    [[nodiscard]] spawned<bool> ask() {
        source->held_at = asked_for;
        return owner.spawn_on(0, test::right_bytes(manager, at(asked_for, 4_KiB)));
    }
    [[nodiscard]] extent_read largest() {
        const extent_reads all = reads();
        return *std::max_element(
            all.begin(), all.end(),
            [](const extent_read& a, const extent_read& b) { return a.size < b.size; });
    }

    spawned<bool> waits;
};

task<bool> right_slices(chunk_manager& manager, file from, slices_options options) {
    slice_stream stream = manager.slices(from, 0, walked, options);
    std::uint64_t count = 0;
    for (;;) {
        const slice piece = co_await stream.next();
        if (!piece) break;
        if (!is_pattern(piece.bytes(), 1, count)) co_return false;
        count += piece.size();
    }
    co_return count == walked;
}

}  // namespace

// A page that is asked for waits behind what is in flight.
BOOST_AUTO_TEST_CASE(a_walk_reads_pieces_as_many_at_once_as_may_be_while_a_request_waits) {
    for (const unsigned pieces : {1u, 2u, 4u}) {
        for (const unsigned depth : {0u, 3u}) {
            competition of{512_MiB, pieces};
            (void)of.reads();
            const bool right = of.owner.run(
                right_slices(of.manager, of.from, {.depth = depth, .slice_size = 64_KiB}));
            BOOST_TEST(right);
            BOOST_TEST(of.largest().size == fill_piece);
            // And the one that waits.
            BOOST_TEST(of.source->most_in_flight <= static_cast<int>(pieces) + 1);
            BOOST_TEST(of.source->bytes <= walked + 10_MiB * (depth + 1) + 4_KiB);
        }
    }
}

// Who comes back to a chunk that is being read has the rest of his fragment read beside its pieces,
// not behind them.
BOOST_AUTO_TEST_CASE(a_short_window_does_not_wait_for_the_pieces_of_its_chunk) {
    competition of{512_MiB};
    BOOST_TEST(of.right(105_MiB, 4_KiB));
    of.source->held = true;
    std::vector<spawned<bool>> all;
    const auto ask = [&](std::uint64_t offset, std::uint64_t size, hint given = hint::normal) {
        const chunk_config wanted = of.at(offset, size, given);
        all.push_back(of.owner.spawn_on(0, test::right_bytes(of.manager, wanted)));
    };
    ask(100_MiB, 10_MiB, hint::once);
    of.wait_for_reads(1 + 2);
    ask(105_MiB + 4_KiB, 4_KiB);
    of.wait_for_reads(1 + 2 + 1);
    const extent_reads reads = of.reads();
    BOOST_TEST(std::count_if(reads.begin(), reads.end(), [](const extent_read& one) {
                   return one.offset == 105_MiB + 4_KiB && one.size == 60_KiB;
               }) == 1);
    of.source->held = false;
    for (spawned<bool>& one : all) BOOST_TEST(one.get());
}

namespace {

/// Goes through [0, walked) and counts the pieces that came when the next was not being read yet.
task<int> pieces_behind_which_nothing_is_read(chunk_manager& manager,
                                              file from,
                                              const test::script& source) {
    slice_stream stream = manager.slices(from, 0, walked, {.depth = 3, .slice_size = 64_KiB});
    int found = 0;
    std::uint64_t count = 0;
    for (;;) {
        const slice part = co_await stream.next();
        if (!part) break;
        const std::uint64_t begun = source.bytes;
        if (begun < walked && begun <= count + part.size()) ++found;
        count += part.size();
    }
    co_return found;
}

}  // namespace

// The device does not wait for those who wait for it.
BOOST_AUTO_TEST_CASE(the_next_piece_is_being_read_before_who_waits_for_the_last_runs) {
    competition of{512_MiB, 1};
    (void)of.reads();
    of.source->delay_ms = 1;
    of.source->bytes = 0;
    // Of the first it does not know yet that there will be others.
    BOOST_TEST(of.owner.run(pieces_behind_which_nothing_is_read(of.manager, of.from, *of.source)) <=
               1);
}

BOOST_AUTO_TEST_CASE(so_does_who_asks_for_one_piece_after_the_other) {
    competition of{512_MiB};
    (void)of.reads();
    BOOST_TEST(of.walk(0, walked, 16_KiB));
    BOOST_TEST(of.largest().size == fill_piece);
    BOOST_TEST(of.source->most_in_flight <= 16 + 1);  // of a window of fragments
}

// What a window of fragments reads at once, as its source has no reads of several buffers.
BOOST_AUTO_TEST_CASE(a_window_of_fragments_is_no_longer_than_a_piece_while_a_request_waits) {
    competition of{64_MiB};
    const cache_statistics before = of.sum();
    BOOST_TEST(of.walk(0, walked, 64_KiB));
    const cache_statistics after = of.sum();
    BOOST_TEST(after.reads - before.reads >= walked / fill_piece);
    BOOST_TEST(after.reads - before.reads <= walked / fill_piece * 2);
}

BOOST_AUTO_TEST_CASE(alone_a_walk_reads_whole_chunks) {
    fragments of{400_MiB, 512_MiB, 10_MiB};
    BOOST_TEST(of.owner.run(right_slices(of.manager, of.from, {.depth = 3})));
    BOOST_TEST(of.reads().size() <= walked / 10_MiB + 4);
}

// Else they would come one after the other while the crowd is served at once.
BOOST_AUTO_TEST_CASE(large_requests_beside_a_crowd_have_their_part_of_the_device) {
    constexpr int others = 99;
    constexpr unsigned large = 12;
    competition of{512_MiB};
    std::vector<spawned<bool>> all;
    of.source->held = true;
    for (std::uint64_t i = 1; i <= others; ++i)
        all.push_back(of.owner.spawn_on(
            0, test::right_bytes(of.manager, of.at(asked_for + i * 256_KiB, 4_KiB))));
    of.wait_for_reads(1 + others);
    for (std::uint64_t i = 0; i < large; ++i)
        all.push_back(
            of.owner.spawn_on(0, test::right_bytes(of.manager, of.at(i * 10_MiB, 2_MiB))));
    while (of.sum().waiting != 1 + others + large) std::this_thread::yield();
    (void)of.sum();  // in a later turn
    BOOST_TEST(of.source->in_flight == 1 + others + 8);
    of.source->held = false;
    of.source->held_at = ~std::uint64_t{0};
    for (spawned<bool>& one : all) BOOST_TEST(one.get());
}

// A chunk that a reader is in is read before those that he comes to later.
BOOST_AUTO_TEST_CASE(what_a_walk_is_in_is_read_before_what_it_comes_to) {
    competition of{512_MiB, 4};
    (void)of.reads();
    of.source->delay_ms = 1;
    BOOST_TEST(of.owner.run(right_slices(of.manager, of.from, {.depth = 3, .slice_size = 64_KiB})));
    std::uint64_t farthest = 0;
    std::uint64_t behind = 0;
    const std::lock_guard lock{of.source->mutex};
    for (const test::script::range& one : of.source->log) {
        farthest = std::max(farthest, one.offset);
        if (one.offset + 10_MiB < farthest) ++behind;
    }
    BOOST_TEST(behind == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
