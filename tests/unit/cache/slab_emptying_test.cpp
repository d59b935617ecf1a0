// A slab is emptied for small buffers, and a segment with all its slabs for large ones.
#include "emptying_support.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <utility>

BOOST_AUTO_TEST_SUITE(slab_emptying_test)

using namespace leat;
using namespace leat::literals;
using leat::detail::chunk;
using leat::detail::last_look;
using leat::detail::segment_emptying;
using leat::test::arena_of_four;

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

BOOST_AUTO_TEST_CASE(so_is_one_that_has_small_slabs_only) {
    io::arena_options lengths = arena_of_four::options(2_MiB + 480_KiB, 2_MiB, 512_KiB);
    lengths.small_slab_bytes = 64_KiB;
    arena_of_four of{lengths};
    while (of.arena.fits(4_KiB)) of.add(4_KiB);
    of.all.front().pins = 1;
    BOOST_REQUIRE(of.arena.segment_of(of.all.front().data()) == 0u);
    BOOST_REQUIRE(of.arena.state_of(1).buffer_bytes == 64_KiB);
    for (const std::uint64_t wanted : {0_KiB, 384_KiB}) {
        last_look last;
        segment_emptying emptying{of.arena, last, 8_MiB, wanted};
        BOOST_TEST(emptying.may_empty(4_KiB));
        BOOST_TEST(last.part == 1u);
    }
    last_look last;
    segment_emptying too_long{of.arena, last, 8_MiB, 2_MiB};
    BOOST_TEST(!too_long.may_empty(4_KiB));
    of.all.front().pins = 0;
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

BOOST_AUTO_TEST_SUITE_END()
