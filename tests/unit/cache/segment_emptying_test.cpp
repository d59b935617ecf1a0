// Which segment is emptied, and what moves.
#include "emptying_support.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(segment_emptying_test)

using namespace leat;
using namespace leat::literals;
using leat::detail::chunk;
using leat::detail::last_look;
using leat::detail::segment_emptying;
using leat::test::arena_of_four;

namespace {

std::uint64_t free_segments(const io::buffer_arena& arena) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < arena.segments(); ++i)
        count += arena.state_of(i).buffer_bytes == 0 ? 1 : 0;
    return count;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_is_left_in_a_segment_moves_to_places_that_have_become_free,
                        arena_of_four) {
    for (int i = 0; i < 128; ++i) add(64_KiB);
    BOOST_TEST(free_segments(arena) == 0u);
    last_look last;
    segment_emptying emptying{arena, last};
    BOOST_TEST(emptying.may_empty(64_KiB));
    BOOST_TEST(!emptying.finish());
    // Eight of each segment: 24 places in the others for the 24 that are left in one.
    unsigned dropped = 0;
    for (std::size_t i = 0; i < 128; ++i) {
        if (i % 32 >= 8) continue;
        drop(all[i]);
        emptying.freed(64_KiB);
        ++dropped;
        const bool done = emptying.finish();
        BOOST_TEST(right());
        BOOST_TEST(done == (free_segments(arena) == 1));
        if (done) break;
    }
    BOOST_TEST(free_segments(arena) == 1u);
    BOOST_TEST(dropped >= 32u - 8u);
    BOOST_TEST(dropped <= 32u);
    BOOST_TEST(arena.fits(2_MiB));
}

BOOST_AUTO_TEST_CASE(a_segment_that_is_too_short_is_not_emptied) {
    arena_of_four of{4_MiB + 128_KiB};
    for (int i = 0; i < 66; ++i) of.add(64_KiB);
    BOOST_REQUIRE(of.arena.segments() == 3u);
    last_look last;
    for (const std::uint64_t wanted : {0_KiB, 2_MiB}) {
        segment_emptying emptying{of.arena, last, 256_KiB, wanted};
        BOOST_TEST(emptying.may_empty(64_KiB) == (wanted == 0));
    }
    segment_emptying emptying{of.arena, last, 2_MiB, 2_MiB};
    BOOST_TEST(emptying.may_empty(64_KiB));
    for (std::size_t i = 0; i < 32; ++i) {
        of.drop(of.all[i]);
        emptying.freed(64_KiB);
    }
    BOOST_TEST(emptying.finish());
    BOOST_TEST(of.arena.fits(2_MiB));
    BOOST_TEST(of.right());
}

BOOST_FIXTURE_TEST_CASE(a_segment_in_which_something_is_in_use_is_not_emptied, arena_of_four) {
    for (int i = 0; i < 128; ++i) add(64_KiB);
    struct user : detail::chunk_request {
    } waiter;
    std::deque<detail::fill_state> fills;
    for (int what = 0; what < 4; ++what) {
        for (std::size_t segment = 0; segment < 4; ++segment) {
            chunk& one = all[segment * 32 + 3];
            one.pins = what == 0 ? 1 : 0;
            one.doomed = what == 2;
            if (what == 0) one.fill = &fills.emplace_back(one);
            one.fill->reads = what == 1 ? 1 : 0;
            if (what == 3 && segment == 0) one.fill->waiters.push_back(waiter);
        }
        last_look last;
        segment_emptying emptying{arena, last};
        // Whoever waits does so in the first; the others can be emptied.
        BOOST_TEST(emptying.may_empty(64_KiB) == (what == 3));
        BOOST_TEST(!emptying.may_empty(4_KiB));
        // Who waits for a segment is told when the last pin in it goes.
        for (std::size_t segment = 0; what == 0 && segment < 4; ++segment)
            BOOST_TEST(all[segment * 32 + 3].attention);
    }
    all[3].fill->waiters.clear();
    // Pinned meanwhile.
    last_look last;
    segment_emptying emptying{arena, last};
    BOOST_TEST(emptying.may_empty(64_KiB));
    for (std::size_t i = 0; i < 128; ++i) {
        if (i % 2 == 0) {
            drop(all[i]);
            emptying.freed(64_KiB);
        } else {
            all[i].pins = 1;
        }
    }
    BOOST_TEST(!emptying.finish());
    BOOST_TEST(free_segments(arena) == 0u);
    // Another is looked for.
    BOOST_TEST(!emptying.may_empty(64_KiB));
    for (chunk& one : all) one.pins = 0;
    segment_emptying again{arena, last};
    BOOST_TEST(again.may_empty(64_KiB));
    BOOST_TEST(again.finish());
    BOOST_TEST(free_segments(arena) == 1u);
    BOOST_TEST(right());
}

BOOST_FIXTURE_TEST_CASE(places_of_a_segment_that_has_become_empty_are_none, arena_of_four) {
    for (int i = 0; i < 8; ++i) add(1_MiB);
    last_look last;
    segment_emptying emptying{arena, last};
    BOOST_REQUIRE(emptying.may_empty(1_MiB));  // the first, since all are full
    for (chunk& one : all) {
        if (arena.segment_of(one.data()) != 3) continue;
        drop(one);
        emptying.freed(1_MiB);
    }
    BOOST_TEST(free_segments(arena) == 1u);
    BOOST_TEST(!emptying.finish());
    BOOST_TEST(right());
}

BOOST_FIXTURE_TEST_CASE(the_emptiest_segment_is_emptied, arena_of_four) {
    for (int i = 0; i < 128; ++i) add(64_KiB);
    std::vector<std::size_t> segment_of;
    for (const chunk& one : all) segment_of.push_back(arena.segment_of(one.data()));
    unsigned left = 0;
    for (std::size_t i = 0; i < 128; ++i) {
        const bool keep = segment_of[i] == 2 ? left++ < 5 : i % 4 != 0;
        if (!keep) drop(all[i]);
    }
    last_look last;
    segment_emptying emptying{arena, last};
    BOOST_TEST(emptying.may_empty(64_KiB));
    BOOST_TEST(emptying.finish());
    BOOST_TEST(arena.state_of(2).buffer_bytes == 0u);
    BOOST_TEST(right());
}

BOOST_FIXTURE_TEST_CASE(a_class_without_a_segment_helps_nobody, arena_of_four) {
    add(64_KiB);
    last_look last;
    segment_emptying emptying{arena, last};
    BOOST_TEST(!emptying.may_empty(4_KiB));
    BOOST_TEST(!emptying.finish());
    BOOST_TEST(right());
}

BOOST_FIXTURE_TEST_CASE(no_more_is_evicted_for_a_segment_than_is_allowed, arena_of_four) {
    for (int i = 0; i < 128; ++i) add(64_KiB);
    {
        last_look last;
        segment_emptying emptying{arena, last, 1536_KiB};
        BOOST_TEST(!emptying.may_empty(64_KiB));
    }
    // Eight places in others: the 24 that are missing are just allowed.
    for (std::size_t i = 0; i < 8; ++i) drop(all[i]);
    {
        last_look last;
        segment_emptying emptying{arena, last, 1535_KiB};
        BOOST_TEST(!emptying.may_empty(64_KiB));
    }
    last_look last;
    segment_emptying emptying{arena, last, 1536_KiB};
    BOOST_TEST(emptying.may_empty(64_KiB));
}

namespace {

/// Leases of chunks, none of them pinned.
struct leases {
    void of(chunk& one) {
        detail::lease& held = all.emplace_back(reinterpret_cast<detail::shard_cache&>(home));
        held.at_owner.chunk = &one;
        held.at_owner.state = detail::lease::owner_state::held;
        one.holders.push_front(held.at_owner);
    }
    ~leases() {
        for (detail::lease& one : all) one.at_owner.chunk->holders.clear();
    }
    alignas(64) std::byte home[1]{};  // only its address counts
    std::deque<detail::lease> all;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(the_segment_with_the_fewest_leases_is_told_if_only_leases_keep_all,
                        arena_of_four) {
    for (int i = 0; i < 128; ++i) add(64_KiB);
    leases held;
    for (std::size_t i = 0; i < 128; ++i) {
        if (i % 32 < (i / 32 == 2 ? 8 : 9)) held.of(all[i]);
    }
    const std::size_t fewest = arena.segment_of(all[64].data());
    last_look last;
    segment_emptying emptying{arena, last};
    BOOST_TEST(!emptying.may_empty(64_KiB));
    unsigned visited = 0;
    BOOST_TEST(!emptying.each_leased(7, [](chunk&) { BOOST_TEST(false); }));
    BOOST_TEST(emptying.each_leased(8, [&](chunk& one) {
        BOOST_TEST(arena.segment_of(one.data()) == fewest);
        visited += one.holders.empty() ? 0 : 1;
    }));
    BOOST_TEST(visited == 8u);
    // A slice at a holder keeps it for longer than a message takes.
    held.all.front().at_owner.chunk->holders.front().state = detail::lease::owner_state::kept;
    for (std::size_t i = 64; i < 96; ++i) all[i].pins = 1;
    segment_emptying again{arena, last};
    BOOST_TEST(!again.may_empty(64_KiB));
    BOOST_TEST(!again.each_leased(8, [](chunk&) { BOOST_TEST(false); }));
}

BOOST_FIXTURE_TEST_CASE(what_one_search_has_looked_at_the_next_ones_trust_until_it_is_to_move,
                        arena_of_four) {
    for (int i = 0; i < 128; ++i) add(64_KiB);
    last_look last;
    const auto may = [&] {
        segment_emptying emptying{arena, last};
        return emptying.may_empty(64_KiB);
    };
    BOOST_TEST(may());
    for (chunk& one : all) one.pins = 1;
    unsigned trusted = 0;
    while (may()) ++trusted;
    BOOST_TEST(trusted == 32u);
    for (chunk& one : all) one.pins = 0;
    BOOST_TEST(may());
    // None moves unseen.
    segment_emptying emptying{arena, last};
    BOOST_TEST(emptying.may_empty(64_KiB));
    const std::size_t segment = last.part;
    for (std::size_t i = 0; i < 128; ++i) {
        if (i % 2 == 0 && arena.segment_of(all[i].data()) != segment) {
            emptying.freed(64_KiB);
            drop(all[i]);
        } else {
            all[i].pins = 1;
        }
    }
    BOOST_TEST(!emptying.finish());
    BOOST_TEST(right());
    // Nor is it what is emptied next.
    BOOST_TEST(!may());
}

BOOST_FIXTURE_TEST_CASE(neighbours_are_found_if_all_of_them_can_be_emptied, arena_of_four) {
    for (int i = 0; i < 128; ++i) add(64_KiB);
    const auto in = [this](std::size_t segment, unsigned which) -> chunk& {
        for (chunk& one : all) {
            if (arena.segment_of(one.data()) == segment && which-- == 0) return one;
        }
        BOOST_FAIL("no such chunk");
        return all.front();
    };
    for (unsigned i = 0; i < 3; ++i) drop(in(3, 0));
    last_look last;
    segment_emptying emptying{arena, last};
    BOOST_TEST(emptying.find_run(4_MiB) == 2u);
    BOOST_TEST(emptying.find_run(6_MiB) == 1u);
    BOOST_TEST(emptying.find_run(10_MiB) == io::buffer_arena::no_segment);
    in(2, 5).pins = 1;
    BOOST_TEST(emptying.find_run(4_MiB) == 0u);
    leases held;
    held.of(in(1, 7));
    segment_emptying later{arena, last};
    BOOST_TEST(later.find_run(4_MiB) == io::buffer_arena::no_segment);
    BOOST_TEST(later.each_leased(8, [](chunk&) {}));
    // Nothing goes to a place that is to be emptied, too.
    drop(in(0, 0));
    in(2, 5).pins = 0;
    chunk& moved = in(0, 1);
    BOOST_TEST(!emptying.move(moved, 0, 4));
    BOOST_TEST(emptying.move(moved, 0, 2));
    BOOST_TEST(arena.segment_of(moved.data()) == 3u);
    BOOST_TEST(right());
}

BOOST_AUTO_TEST_CASE(a_segment_is_found_however_many_are_pinned_that_are_emptier) {
    constexpr std::size_t pinned = 60;
    arena_of_four of{(pinned + 1) * 2_MiB};
    while (of.arena.fits(64_KiB)) of.add(64_KiB);
    // In each but the last something is pinned, and others have gone.
    for (std::size_t in = 0; in < pinned; ++in) {
        chunk* gone = nullptr;
        of.arena.each_user(in, [&](void* user) { gone = static_cast<chunk*>(user); });
        of.drop(*gone);
        of.arena.each_user(in, [](void* user) { static_cast<chunk*>(user)->pins = 1; });
    }
    last_look last;
    segment_emptying emptying{of.arena, last};
    BOOST_TEST(emptying.may_empty(64_KiB));
    BOOST_TEST(last.part == pinned);
    for (chunk& one : of.all) one.pins = 0;
}

BOOST_AUTO_TEST_SUITE_END()
