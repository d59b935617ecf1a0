// Small buffers of several sizes in one segment, in slabs and in small slabs.
#include "arena_support.hpp"

#include <leat/io/detail/buffer_arena.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <set>
#include <vector>

BOOST_AUTO_TEST_SUITE(buffer_arena_slabs_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

constexpr std::size_t segment = 10 * mebibyte;
constexpr std::size_t slab = 2 * mebibyte;
constexpr std::size_t small_sizes[]{4 * kibibyte, 8 * kibibyte, 16 * kibibyte, 32 * kibibyte,
                                    64 * kibibyte};

constexpr std::size_t small_slab = 256 * kibibyte;

struct with_slabs {
    explicit with_slabs(std::uint64_t budget = 2 * segment, std::uint64_t small = 0)
        : arena({.budget = budget,
                 .huge_pages = false,
                 .segment_bytes = segment,
                 .slab_bytes = slab,
                 .small_slab_bytes = small,
                 .most_budget = 4 * segment}) {}
    [[nodiscard]] std::byte* get(std::size_t size) {
        std::byte* const made = arena.allocate(size, this);
        BOOST_REQUIRE(made != nullptr);
        return made;
    }
    [[nodiscard]] std::uint64_t divided() const { return arena.statistics().divided_bytes; }
    buffer_arena arena;
};

/// All buffers up to 64 KiB lie in small slabs, eight in a slab.
struct with_small_slabs : with_slabs {
    with_small_slabs() : with_slabs(2 * segment, small_slab) {}
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(all_small_sizes_share_a_segment, with_slabs) {
    std::vector<std::byte*> made;
    std::set<std::size_t> parts;
    for (const std::size_t size : small_sizes) {
        made.push_back(get(size));
        parts.insert(arena.part_of(made.back()));
        BOOST_TEST(arena.segment_of(made.back()) == 0u);
        BOOST_TEST(arena.buffer_bytes(size) == size);
    }
    BOOST_TEST(parts.size() == 5u);
    BOOST_TEST(divided() == segment);
    BOOST_TEST(arena.statistics().used_bytes == 124 * kibibyte);
    const part_state all = arena.state_of(0);
    BOOST_TEST(all.buffer_bytes == slab);
    BOOST_TEST(all.used == 5u);
    BOOST_TEST(all.vacant() == 0u);
    BOOST_TEST(all.used_bytes == 124 * kibibyte);
    unsigned users = 0;
    arena.each_user(0, [&](void* user) { users += user == this ? 1 : 0; });
    BOOST_TEST(users == 5u);
    // The others are there for what needs a segment, and a place of a slab for its length.
    std::byte* const chunk = get(segment);
    BOOST_TEST(!arena.fits(slab));
    BOOST_TEST(arena.fits(12 * kibibyte));
    arena.release(made.back(), 64 * kibibyte);
    made.pop_back();
    std::byte* const long_one = get(slab);
    BOOST_TEST(arena.segment_of(long_one) == 0u);
    BOOST_TEST(arena.state_of(0).used == 5u);
    arena.release(long_one, slab);
    arena.release(chunk, segment);
    for (std::size_t i = 0; i < made.size(); ++i) arena.release(made[i], small_sizes[i]);
    BOOST_TEST(divided() == 0u);
    BOOST_TEST(arena.statistics().used_bytes == 0u);
    BOOST_TEST(arena.fits(2 * segment));
}

BOOST_FIXTURE_TEST_CASE(a_slab_of_which_nothing_is_used_serves_another_size, with_slabs) {
    std::vector<std::byte*> made;
    for (int i = 0; i < 5 * 32; ++i) made.push_back(get(64 * kibibyte));
    BOOST_TEST(divided() == segment);
    std::byte* const chunk = get(segment);
    BOOST_TEST(!arena.fits(4 * kibibyte));
    const std::size_t part = arena.part_of(made[40]);
    for (std::byte*& one : made) {
        if (arena.part_of(one) != part) continue;
        BOOST_TEST(arena.makes_room(one, 4 * kibibyte) == (arena.state_of(part).used == 1));
        BOOST_TEST(!arena.makes_room(one, segment));
        arena.release(one, 64 * kibibyte);
        one = nullptr;
    }
    BOOST_TEST(arena.state_of(part).buffer_bytes == 0u);
    BOOST_TEST(arena.vacant(slab) == 1u);
    std::byte* const small = get(4 * kibibyte);
    BOOST_TEST(arena.part_of(small) == part);
    BOOST_TEST(arena.state_of(part).count == 512u);
    arena.release(small, 4 * kibibyte);
    arena.release(chunk, segment);
    for (std::byte* const one : made)
        if (one != nullptr) arena.release(one, 64 * kibibyte);
    BOOST_TEST(divided() == 0u);
}

BOOST_AUTO_TEST_CASE(as_many_small_ones_fit_as_are_promised) {
    // Behind the first segment there is nothing, room for no slab, for one, and for one and a part.
    for (const std::size_t more :
         {0 * kibibyte, 200 * kibibyte, 1024 * kibibyte, 2048 * kibibyte, 3000 * kibibyte}) {
        for (const std::size_t size : small_sizes) {
            for (const std::size_t small : {std::size_t{0}, small_slab}) {
                with_slabs of{segment + more, small};
                std::vector<std::byte*> made;
                while (std::byte* const one = of.arena.allocate(size)) made.push_back(one);
                BOOST_TEST(made.size() == of.arena.buffers_in(segment + more, size));
                const std::size_t beside = more < slab ? more / size : slab / size;
                BOOST_TEST(made.size() == 5 * (slab / size) + beside);
                for (std::byte* const one : made) of.arena.release(one, size);
                BOOST_TEST(of.divided() == 0u);
            }
        }
    }
}

BOOST_FIXTURE_TEST_CASE(small_slabs_lie_in_slabs, with_small_slabs) {
    std::vector<std::byte*> made;
    for (const std::size_t size : small_sizes) made.push_back(get(size));
    std::byte* const middle = get(128 * kibibyte);
    const std::size_t first_small = 2 * buffer_arena::first_slab;
    for (std::size_t i = 0; i < made.size(); ++i)
        BOOST_TEST(arena.part_of(made[i]) == first_small + i);
    BOOST_TEST(arena.part_of(middle) == buffer_arena::first_slab + 1);
    BOOST_TEST(arena.state_of(0).used == 2u);
    const part_state around = arena.state_of(buffer_arena::first_slab);
    BOOST_TEST(around.buffer_bytes == small_slab);
    BOOST_TEST(around.used == 5u);
    BOOST_TEST(around.used_bytes == 124 * kibibyte);
    BOOST_TEST(arena.state_of(0).used_bytes == 252 * kibibyte);
    unsigned users = 0;
    arena.each_user(0, [&](void* user) { users += user == this ? 1 : 0; });
    BOOST_TEST(users == 6u);
    // A buffer as long as a small slab takes a place of one.
    std::byte* const long_one = get(small_slab);
    BOOST_TEST(arena.part_of(long_one) == buffer_arena::first_slab);
    // What is alone in its part makes room for what the place around it serves.
    BOOST_TEST(arena.makes_room(made[0], 64 * kibibyte));
    BOOST_TEST(arena.makes_room(made[0], small_slab));
    BOOST_TEST(!arena.makes_room(made[0], 128 * kibibyte));
    BOOST_TEST(arena.makes_room(middle, 4 * kibibyte));
    BOOST_TEST(arena.makes_room(middle, slab));
    BOOST_TEST(!arena.makes_room(middle, segment));
    arena.release(long_one, small_slab);
    for (std::size_t i = 1; i < made.size(); ++i) arena.release(made[i], small_sizes[i]);
    BOOST_TEST(arena.makes_room(made[0], 128 * kibibyte));
    BOOST_TEST(!arena.makes_room(made[0], segment));
    arena.release(middle, 128 * kibibyte);
    BOOST_TEST(arena.makes_room(made[0], segment));
    arena.release(made[0], small_sizes[0]);
    BOOST_TEST(divided() == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_moves_out_of_a_slab_goes_to_no_small_slab_of_it, with_small_slabs) {
    std::vector<std::byte*> made;
    for (int i = 0; i < 8 * 64 + 1; ++i) made.push_back(get(4 * kibibyte));
    BOOST_TEST(arena.part_of(made.back()) == 2 * buffer_arena::first_slab + 8);
    for (int i = 64; i < 8 * 64; ++i) arena.release(made[static_cast<std::size_t>(i)], 4096);
    std::byte* const moved = arena.allocate_outside(buffer_arena::first_slab, 1, 4096, this);
    BOOST_TEST(arena.part_of(moved) == arena.part_of(made.back()));
    std::byte* const other = arena.allocate_outside(0, 1, 4096, this);
    BOOST_TEST(other == nullptr);
    arena.release(moved, 4096);
    arena.release(made.back(), 4096);
    // A small slab of another slab that is not divided yet is divided for it.
    std::byte* const beside = get(128 * kibibyte);
    BOOST_TEST(arena.part_of(beside) == buffer_arena::first_slab + 1);
    std::byte* const divided = arena.allocate_outside(buffer_arena::first_slab, 2, 4096, this);
    BOOST_TEST(arena.part_of(divided) == 2 * buffer_arena::first_slab + 16);
    arena.release(divided, 4096);
    arena.release(beside, 128 * kibibyte);
    for (std::size_t i = 0; i < 64; ++i) arena.release(made[i], 4096);
    BOOST_TEST(this->divided() == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_moves_finds_places_in_slabs_that_are_free_elsewhere, with_slabs) {
    // Two segments, each with a slab of both sizes; the others are free.
    std::vector<std::byte*> large;
    for (int i = 0; i < 5 * 32; ++i) large.push_back(get(64 * kibibyte));
    std::vector<std::byte*> other;
    for (int i = 0; i < 5 * 32; ++i) other.push_back(get(64 * kibibyte));
    for (int i = 32; i < 5 * 32; ++i) arena.release(other[static_cast<std::size_t>(i)], 65536);
    BOOST_TEST(arena.vacant(slab) == 4u);
    std::byte* const small = get(4 * kibibyte);
    const std::size_t in = arena.segment_of(small);
    BOOST_TEST(in == 1u);
    // Not in the part from which it comes; a slab of that is divided only elsewhere.
    BOOST_TEST(arena.allocate_outside(in, 1, 4 * kibibyte, this) == nullptr);
    std::byte* const moved = arena.allocate_outside(arena.part_of(small), 1, 4 * kibibyte, this);
    BOOST_REQUIRE(moved != nullptr);
    BOOST_TEST(arena.segment_of(moved) == 1u);
    BOOST_TEST(arena.part_of(moved) != arena.part_of(small));
    arena.release(small, 4 * kibibyte);
    arena.release(moved, 4 * kibibyte);
    for (std::byte* const one : large) arena.release(one, 65536);
    for (std::size_t i = 0; i < 32; ++i) arena.release(other[i], 65536);
    BOOST_TEST(divided() == 0u);
}

BOOST_AUTO_TEST_CASE(a_slab_may_be_gone_before_the_last_of_its_users_is_told) {
    // The last segment is above the budget: it is given back as the last buffer leaves it.
    buffer_arena arena{{.budget = 20 * mebibyte,
                        .huge_pages = false,
                        .segment_bytes = mebibyte,
                        .slab_bytes = 128 * kibibyte}};
    struct place {
        std::byte* at = nullptr;
    };
    std::vector<place> all(20 * 16);
    for (place& one : all) one.at = arena.allocate(65536, &one);
    const std::size_t end = arena.segments() - 1;
    arena.set_budget(19 * mebibyte);
    for (place& one : all) {
        if (arena.segment_of(one.at) != end || &one == &all.back()) continue;
        arena.release(one.at, 65536);
        one.at = nullptr;
    }
    arena.release(all.front().at, 65536);
    all.front().at = nullptr;
    unsigned visited = 0;
    arena.each_user(end, [&](void* user) {
        place& one = *static_cast<place*>(user);
        std::byte* const to = arena.allocate_outside(end, 1, 65536, user);
        BOOST_REQUIRE(to != nullptr);
        arena.release(one.at, 65536);
        one.at = to;
        ++visited;
    });
    BOOST_TEST(visited == 1u);
    BOOST_TEST(arena.segments() == end);
    for (place& one : all)
        if (one.at != nullptr) arena.release(one.at, 65536);
}

BOOST_AUTO_TEST_CASE(what_lies_between_slab_and_segment_is_made_room_for_by_segments) {
    with_slabs of;
    std::vector<std::byte*> all;
    while (of.arena.fits(slab)) all.push_back(of.get(slab));
    BOOST_REQUIRE(all.size() == 10u);
    for (const std::size_t size : {96 * kibibyte, 768 * kibibyte, 1280 * kibibyte}) {
        const bool of_slab = of.arena.slab_for(of.arena.buffer_bytes(size)) != 0;
        BOOST_TEST(of_slab == (size == 96 * kibibyte));
        for (std::byte*& one : all) {
            const bool promised = of.arena.makes_room(one, size);
            of.arena.release(one, slab);
            BOOST_TEST(promised == of.arena.fits(size));
            one = nullptr;
            if (promised) break;
        }
        for (std::byte*& one : all)
            if (one == nullptr) one = of.get(slab);
    }
    for (std::byte* const one : all) of.arena.release(one, slab);
}

BOOST_AUTO_TEST_CASE(there_are_none_where_they_would_be_more_than_half_a_segment) {
    for (const std::size_t bytes : {0 * kibibyte, 1537 * kibibyte}) {
        buffer_arena arena{{.budget = 2 * mebibyte,
                            .huge_pages = false,
                            .segment_bytes = 2 * mebibyte,
                            .slab_bytes = bytes}};
        BOOST_TEST(arena.slab_bytes() == 0u);
        std::byte* const small = arena.allocate(4096);
        BOOST_TEST(!arena.fits(8192));
        BOOST_TEST(arena.part_of(small) == 0u);
        arena.release(small, 4096);
    }
}

BOOST_AUTO_TEST_SUITE_END()
