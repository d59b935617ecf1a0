// Segments of small buffers that give room to large ones, and the other way round.
#include "shard/segment_emptying.hpp"

#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

using namespace leat;
using namespace leat::literals;
using leat::detail::chunk;
using leat::detail::last_look;
using leat::detail::segment_emptying;
using leat::test::fragments;
using leat::test::is_pattern;
using leat::test::right_bytes;

namespace {

/// Four segments of 2 MiB, and chunks in them.
struct arena_of_four {
    explicit arena_of_four(std::uint64_t budget = 8_MiB,
                           std::uint64_t segment = 0,
                           std::uint64_t slab = 0)
        : arena(options(budget, segment, slab)) {}
    static io::arena_options options(std::uint64_t budget,
                                     std::uint64_t segment,
                                     std::uint64_t slab) {
        io::arena_options made;
        made.budget = budget;
        made.segment_bytes = segment;
        made.slab_bytes = slab;
        made.huge_pages = made.register_buffers = false;
        return made;
    }
    chunk& add(std::uint64_t bytes) {
        chunk& one = all.emplace_back(static_cast<std::uint32_t>(bytes));
        one.bytes = static_cast<std::uint32_t>(bytes);
        one.set_place(arena.allocate(bytes, &one), 0);
        BOOST_REQUIRE(one.data() != nullptr);
        test::fill_pattern({one.data(), bytes}, 1, all.size() * 1_MiB);
        return one;
    }
    void drop(chunk& one) {
        arena.release(one.data(), one.bytes);
        one.set_place(nullptr, 0);
    }
    [[nodiscard]] bool right() {
        bool all_right = true;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const chunk& one = all[i];
            if (one.data() == nullptr) continue;
            all_right = all_right && is_pattern({one.data(), one.bytes}, 1, (i + 1) * 1_MiB);
        }
        return all_right && arena.fault() == nullptr;
    }

    io::buffer_arena arena;
    std::deque<chunk> all;
};

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

namespace {

/// Two segments of 8 MiB with slabs of 1 MiB: the first eight slabs for 64 KiB and the others in
/// turns for 4 and for 16 KiB, all of them full.
struct full_slabs : arena_of_four {
    full_slabs() : arena_of_four(16_MiB, 8_MiB, 1_MiB) {
        for (int i = 0; i < 8 * 16; ++i) add(64_KiB);
        for (int slab = 0; slab < 8; ++slab) {
            const std::uint64_t bytes = slab % 2 == 0 ? 4_KiB : 16_KiB;
            for (std::uint64_t at = 0; at < 1_MiB; at += bytes) add(bytes);
        }
    }
    /// Drops the first of a size that is in memory, as an eviction does.
    void evict(std::uint64_t bytes, segment_emptying& for_it) {
        for (chunk& one : all) {
            if (one.data() == nullptr || one.bytes != bytes) continue;
            drop(one);
            return for_it.freed(bytes);
        }
    }
    [[nodiscard]] std::uint64_t count() const {
        std::uint64_t sum = 0;
        for (const chunk& one : all) sum += one.data() != nullptr ? 1 : 0;
        return sum;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_slab_is_emptied_for_small_buffers_and_a_segment_for_large_ones,
                        full_slabs) {
    last_look last;
    const std::uint64_t before = count();
    {
        segment_emptying emptying{arena, last, 8_MiB, 4_KiB};
        BOOST_TEST(emptying.may_empty(64_KiB));
        BOOST_TEST(!emptying.may_empty(16_KiB));  // it is decided
        for (int i = 0; i < 16; ++i) {
            BOOST_TEST(emptying.needs_more(64_KiB));
            BOOST_TEST(!emptying.finish());
            evict(64_KiB, emptying);
        }
        BOOST_TEST(!emptying.needs_more(64_KiB));
        BOOST_TEST(emptying.finish());
    }
    BOOST_TEST(count() == before - 16);
    BOOST_TEST(arena.vacant(1_MiB) == 1u);
    BOOST_TEST(right());
    // For a chunk the segment with fewer bytes in use. Its slabs of 64 KiB have to go but for what
    // has room in the one that is free now, in the same segment: no more than that.
    segment_emptying emptying{arena, last, 12_MiB, 8_MiB};
    BOOST_TEST(emptying.may_empty(64_KiB));
    BOOST_TEST(emptying.in_vain(4_KiB));
    BOOST_TEST(emptying.in_vain(16_KiB));
    unsigned evicted = 0;
    for (; emptying.needs_more(64_KiB); ++evicted) {
        BOOST_TEST(!emptying.finish());
        evict(64_KiB, emptying);
    }
    BOOST_TEST(evicted == 7u * 16);
    BOOST_TEST(emptying.finish());
    BOOST_TEST(arena.fits(8_MiB));
    BOOST_TEST(count() == before - 8 * 16);
    BOOST_TEST(right());
}

BOOST_AUTO_TEST_CASE(a_short_segment_without_slabs_is_emptied_where_any_serves) {
    arena_of_four of{4_MiB + 256_KiB, 2_MiB, 512_KiB};
    while (of.arena.fits(4_KiB)) of.add(4_KiB);
    // In both whole segments something is pinned.
    for (std::size_t in = 0; in < 2; ++in) {
        bool first = true;
        of.arena.each_user(in, [&](void* user) {
            static_cast<chunk*>(user)->pins = std::exchange(first, false) ? 1 : 0;
        });
    }
    last_look last;
    segment_emptying emptying{of.arena, last};
    BOOST_TEST(emptying.may_empty(4_KiB));
    BOOST_TEST(last.part == 2u);
    segment_emptying too_long{of.arena, last, 8_MiB, 2_MiB};
    BOOST_TEST(!too_long.may_empty(4_KiB));
    for (chunk& one : of.all) one.pins = 0;
}

BOOST_AUTO_TEST_CASE(sizes_between_small_and_a_slab_are_served_from_full_memory) {
    fragments of{8_GiB, 128_MiB, 10_MiB};
    for (std::uint64_t i = 0; i < 40'000; ++i) {
        const std::uint64_t size = 4_KiB << i % 5;
        BOOST_REQUIRE(of.right(i * 128_KiB, size));
    }
    std::uint64_t before = of.sum().evictions;
    std::uint64_t at = 6'000_MiB;
    for (const std::uint64_t size : {96_KiB, 320_KiB, 640_KiB, 1024_KiB}) {
        BOOST_TEST(!of.owner.run(test::code_of(of.manager, of.at(at, size, hint::no_wait))));
        at += 10_MiB;
        // No more than a segment's worth of the smallest.
        const std::uint64_t after = of.sum().evictions;
        BOOST_TEST(after - before <= 10_MiB / 4_KiB);
        before = after;
    }
}

BOOST_FIXTURE_TEST_CASE(each_size_in_a_segment_gives_up_what_finds_no_room_elsewhere, full_slabs) {
    last_look last;
    // The first segment is not to be emptied.
    all[5].pins = 1;
    segment_emptying too_much{arena, last, 7_MiB, 8_MiB};
    BOOST_TEST(!too_much.may_empty(4_KiB));
    BOOST_TEST(!too_much.may_empty(16_KiB));
    // Two slabs of the other are free in the first: they serve any size.
    for (std::size_t i = 0; i < 128; ++i)
        if (arena.part_of(all[i].data()) >= io::buffer_arena::first_slab + 6 && i != 5)
            drop(all[i]);
    BOOST_REQUIRE(arena.vacant(1_MiB) == 2u);
    segment_emptying emptying{arena, last, 8_MiB, 8_MiB};
    BOOST_TEST(!emptying.may_empty(64_KiB));
    segment_emptying again{arena, last, 8_MiB, 8_MiB};
    BOOST_TEST(again.may_empty(4_KiB));
    BOOST_TEST(again.in_vain(64_KiB));
    unsigned small = 0;
    unsigned large = 0;
    while (again.needs_more(4_KiB) || again.needs_more(16_KiB)) {
        BOOST_TEST(!again.finish());
        const bool of_small = again.needs_more(4_KiB);
        evict(of_small ? 4_KiB : 16_KiB, again);
        ++(of_small ? small : large);
    }
    BOOST_TEST(small * 4_KiB + large * 16_KiB == 6_MiB);
    BOOST_TEST(again.finish());
    BOOST_TEST(arena.fits(8_MiB));
    BOOST_TEST(right());
    all[5].pins = 0;
}

BOOST_AUTO_TEST_CASE(fragments_that_fill_all_move_for_a_whole_chunk_and_stay_right) {
    // Chunks of 1 MiB, of which 32 fit into sixteen segments.
    fragments of{256_MiB, 32_MiB};
    constexpr std::uint64_t stride = 192_KiB;
    std::uint64_t count = 0;
    // Until one makes room for another, and no segment for entries.
    std::uint64_t before = 0;
    cache_statistics full;
    do {
        before = full.evictions;
        BOOST_REQUIRE(of.right(count++ * stride, 64_KiB));
        full = of.sum();
    } while (full.evictions != before + 1);
    BOOST_TEST(full.chunks >= 480u);
    const slice whole = of.get(200_MiB, 1_MiB);
    BOOST_TEST(is_pattern(whole.bytes(), 1, 200_MiB));
    const cache_statistics after = of.sum();
    // What it takes is evicted, 16 of them, or at most a segment's worth and a little more.
    BOOST_TEST(after.evictions - full.evictions >= 16u);
    BOOST_TEST(after.evictions - full.evictions <= 48u);
    BOOST_TEST(after.chunks == count - after.evictions + 1);
    unsigned there = 0;
    auto look = [](const chunk_manager& manager, chunk_config config) -> task<int> {
        const slice found = manager.peek(config);
        if (!found) co_return 0;
        co_return is_pattern(found.bytes(), 1, config.offset) ? 1 : -1;
    };
    for (std::uint64_t i = 0; i < count; ++i) {
        const int found = of.owner.run(look(of.manager, of.at(i * stride, 64_KiB)));
        BOOST_TEST(found >= 0);
        there += found == 1 ? 1 : 0;
    }
    BOOST_TEST(there == count - after.evictions);
}

BOOST_AUTO_TEST_CASE(large_and_small_take_turns_and_all_bytes_are_right) {
    fragments of{128_MiB, 8_MiB};
    for (std::uint64_t round = 0; round < 20; ++round) {
        for (std::uint64_t i = 0; i < 40; ++i) {
            const std::uint64_t size = 4_KiB << (i + round) % 5;
            const std::uint64_t place = (round * 40 + i) * 37 % 600 * 192_KiB / size * size;
            BOOST_REQUIRE(of.right(place, size));
        }
        for (std::uint64_t i = 0; i < 3; ++i)
            BOOST_REQUIRE(of.right((round * 3 + i) % 120 * 1_MiB, 1_MiB));
    }
    of.settle();
    BOOST_TEST(of.sum().pins == 0u);
}

BOOST_AUTO_TEST_CASE(one_pinned_piece_in_each_segment_keeps_no_stream_and_costs_no_other) {
    fragments of{256_MiB, 32_MiB};
    std::vector<slice> pins;
    for (std::uint64_t i = 0; i < 496; ++i) {
        slice one = of.get(i * 192_KiB, 64_KiB);
        if (i % 32 == 9) pins.push_back(std::move(one));
    }
    BOOST_REQUIRE(of.sum().evictions == 0u);
    BOOST_REQUIRE(pins.size() == 16u);
    const auto read = [](fragments& with) -> task<bool> {
        std::vector<std::byte> to(1_MiB);
        co_await with.manager.read(with.from, 200_MiB, to);
        co_return is_pattern(to, 1, 200_MiB);
    };
    BOOST_TEST(of.owner.run(read(of)));
    of.settle();
    const cache_statistics sum = of.sum();
    BOOST_TEST(sum.bypasses == 0u);
    BOOST_TEST(sum.evictions <= 16u);  // for as many fragments
    BOOST_TEST(sum.chunks == 512u - sum.evictions);
    // A request that must be contiguous, and does not wait, evicts nothing.
    const chunk_config large = of.at(220_MiB, 1_MiB, hint::no_wait);
    BOOST_TEST(bool{of.owner.run(test::code_of(of.manager, large))});
    BOOST_TEST(of.sum().evictions == sum.evictions);
    // For one that has room in a slab some go.
    BOOST_TEST(of.right(222_MiB, 128_KiB));
    BOOST_TEST(of.sum().evictions - sum.evictions <= 8u);
    for (std::size_t i = 0; i < pins.size(); ++i)
        BOOST_TEST(is_pattern(pins[i].bytes(), 1, (32 * i + 9) * 192_KiB));
    pins.clear();
    BOOST_TEST(of.right(220_MiB, 1_MiB));
}

BOOST_AUTO_TEST_CASE(for_a_chunk_of_several_segments_nothing_goes_in_vain) {
    // Segments of 2 MiB, and a manager whose chunks have three of them.
    fragments of{256_MiB, 32_MiB};
    chunk_manager longer{of.owner, test::scripted_source{of.source}, {.chunk_size = 6_MiB}};
    const file from = of.owner.run(longer.open("any"));
    std::vector<slice> pins;
    for (std::uint64_t i = 0; i < 496; ++i) {
        slice one = of.get(i * 192_KiB, 64_KiB);
        if (i % 64 == 9) pins.push_back(std::move(one));  // every second segment
    }
    const cache_statistics full = of.sum();
    BOOST_REQUIRE(full.evictions == 0u);
    const chunk_config wanted{from, 198_MiB, 6_MiB, hint::no_wait};
    BOOST_TEST(bool{of.owner.run(test::code_of(longer, wanted))});
    BOOST_TEST(of.sum().evictions == 0u);
    for (std::size_t i = 0; i < pins.size(); ++i)
        BOOST_TEST(is_pattern(pins[i].bytes(), 1, (64 * i + 9) * 192_KiB));
    pins.clear();
    BOOST_TEST(of.owner.run(right_bytes(longer, wanted)));
    // What three segments hold, and perhaps one for entries.
    BOOST_TEST(of.sum().evictions <= 128u);
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
