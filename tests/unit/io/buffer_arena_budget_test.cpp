// A budget that changes while buffers are in use.
#include "arena_support.hpp"

#include <leat/io/detail/buffer_arena.hpp>

#include <algorithm>
#include <cstring>

BOOST_AUTO_TEST_SUITE(buffer_arena_budget_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

constexpr std::size_t segment = 2 * mebibyte;

/// An arena with a backend.
struct attached {
    explicit attached(std::uint64_t budget, std::uint64_t most = 0)
        : arena({.budget = budget, .huge_pages = false, .most_budget = most}) {
        arena.attach(through);
    }
    ~attached() { arena.detach(); }
    std::vector<std::byte*> take(std::size_t count, std::size_t size = segment) {
        std::vector<std::byte*> taken;
        for (std::size_t i = 0; i < count; ++i) {
            taken.push_back(arena.allocate(size));
            BOOST_TEST_REQUIRE(taken.back() != nullptr);
            std::memset(taken.back(), 1, size);
        }
        return taken;
    }
    [[nodiscard]] std::uint64_t mapped() {
        prepare_mapped(arena);
        const arena_statistics found = arena.statistics();
        BOOST_TEST(found.registered_bytes == found.mapped_bytes);
        BOOST_TEST(through.registered.size() == found.segments);
        return found.mapped_bytes;
    }
    recording_backend through;
    buffer_arena arena;
};

}  // namespace

BOOST_AUTO_TEST_CASE(free_segments_go_at_once_when_the_budget_falls) {
    attached of{5 * segment};
    const auto taken = of.take(5);
    of.arena.release(taken[1], segment);
    of.arena.release(taken[4], segment);
    of.arena.set_budget(4 * segment);
    BOOST_TEST(of.mapped() == 4 * segment);
    BOOST_TEST(of.arena.segments() == 4U);  // the last one has gone
    BOOST_TEST(of.arena.budget() == 4 * segment);
    // One place is left, and no more.
    BOOST_TEST(of.arena.allocate(segment) == taken[1]);
    BOOST_TEST(!of.arena.fits(4096));
    BOOST_TEST(of.arena.allocate(4096) == nullptr);
}

BOOST_AUTO_TEST_CASE(used_segments_go_when_they_become_free) {
    attached of{4 * segment};
    const auto taken = of.take(2);
    const auto large = of.take(1, segment + 1);
    of.arena.set_budget(segment);
    BOOST_TEST(of.mapped() == 4 * segment);
    BOOST_TEST(!of.arena.fits(4096));
    BOOST_TEST((*taken[1] == std::byte{1}));
    of.arena.release(large[0], segment + 1);
    BOOST_TEST(of.mapped() == 2 * segment);
    of.arena.release(taken[0], segment);
    BOOST_TEST(of.mapped() == segment);
    BOOST_TEST(of.arena.segments() == 2U);
    BOOST_TEST(of.arena.state_of(0).buffer_bytes == 0U);
    // Now it is within the budget again, and the last one stays.
    of.arena.release(taken[1], segment);
    BOOST_TEST(of.mapped() == segment);
    BOOST_TEST(of.arena.allocate(4096) != nullptr);
    of.arena.set_budget(0);
    BOOST_TEST(of.mapped() == segment);
    BOOST_TEST(of.arena.allocate(4096) != nullptr);  // where one is used, others may be
}

BOOST_AUTO_TEST_CASE(what_is_free_in_closed_segments_is_not_allocated) {
    // Slabs, too.
    buffer_arena arena({.budget = 4 * segment,
                        .huge_pages = false,
                        .segment_bytes = segment,
                        .slab_bytes = 512 * 1024,
                        .small_slab_bytes = 256 * 1024});
    constexpr std::size_t size = 16 * 1024;
    std::vector<std::byte*> taken;
    while (std::byte* const one = arena.allocate(size)) taken.push_back(one);
    BOOST_TEST_REQUIRE(taken.size() == 4 * segment / size);
    // One of each four is free, in all segments.
    std::vector<std::byte*> left;
    for (std::size_t i = 0; i < taken.size(); ++i) {
        if (i % 4 == 0) {
            arena.release(taken[i], size);
        } else {
            left.push_back(taken[i]);
        }
    }
    arena.set_budget(2 * segment);
    arena.close_excess();
    BOOST_TEST(arena.fault() == nullptr);
    std::size_t open = 0;
    for (std::byte* one = arena.allocate(size); one != nullptr;
         one = arena.allocate(size), ++open) {
        BOOST_TEST(!arena.is_closed(one));
        left.push_back(one);
    }
    BOOST_TEST(open == 2 * segment / size / 4);
    std::size_t closed = 0;
    arena.each_closed([&](std::size_t) { ++closed; });
    BOOST_TEST(closed == 2U);
    // They are given back with what is used in them; then there are none.
    std::erase_if(left, [&](std::byte* one) {
        const bool in_closed = arena.is_closed(one);
        if (in_closed) arena.release(one, size);
        return in_closed;
    });
    BOOST_TEST(arena.statistics().mapped_bytes == 2 * segment);
    BOOST_TEST(arena.fault() == nullptr);
    for (std::byte* one : left) arena.release(one, size);
}

namespace {

/// Full of buffers of a quarter of a segment, with a budget of one: of each of the four one was
/// released then.
struct lowered {
    lowered() {
        while (std::byte* const one = arena.allocate(size)) taken.push_back(one);
        arena.set_budget(segment);
        arena.close_excess();
        for (std::size_t i = 0; i < taken.size(); i += 4) arena.release(taken[i], size);
    }
    static constexpr std::size_t size = segment / 4;
    buffer_arena arena{{.budget = 4 * segment, .huge_pages = false, .segment_bytes = segment}};
    std::vector<std::byte*> taken;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(as_many_are_open_again_as_a_larger_budget_has_room_for, lowered) {
    arena.set_budget(3 * segment);
    std::size_t closed = 0;
    arena.each_closed([&](std::size_t) { ++closed; });
    BOOST_TEST(closed == 1U);
    for (std::size_t i = 0; i < taken.size(); i += 4) taken[i] = arena.allocate(size);
    BOOST_TEST(std::count(taken.begin(), taken.end(), nullptr) == 1);
    BOOST_TEST(arena.fault() == nullptr);
    for (std::byte* one : taken)
        if (one != nullptr) arena.release(one, size);
}

BOOST_FIXTURE_TEST_CASE(closed_segments_are_open_again_when_the_budget_rises, lowered) {
    BOOST_TEST(arena.allocate(size) == taken[0]);
    BOOST_TEST(arena.allocate(size) == nullptr);
    arena.set_budget(4 * segment);
    BOOST_TEST(!arena.is_closed(taken.back()));
    for (std::size_t i = 4; i < taken.size(); i += 4) BOOST_TEST(arena.allocate(size) != nullptr);
    BOOST_TEST(arena.fault() == nullptr);
    for (std::byte* one : taken) arena.release(one, size);
}

BOOST_AUTO_TEST_CASE(what_was_given_back_comes_again) {
    attached of{4 * segment};
    auto taken = of.take(4);
    for (std::byte* const one : taken) of.arena.release(one, segment);
    of.arena.set_budget(0);
    BOOST_TEST(of.mapped() == 0U);
    BOOST_TEST(of.arena.segments() == 0U);
    BOOST_TEST(!of.arena.fits(1));
    BOOST_TEST(of.arena.buffer_index(taken[0]) == -1);
    of.arena.set_budget(4 * segment);
    taken.clear();
    for (int i = 0; i < 4; ++i) {
        taken.push_back(of.arena.allocate(segment));
        BOOST_TEST_REQUIRE(taken.back() != nullptr);
        BOOST_TEST((*taken.back() == std::byte{0}));  // the kernel had it
        prepare_mapped(of.arena);
        BOOST_TEST(of.arena.buffer_index(taken.back()) >= 0);
    }
    BOOST_TEST(of.mapped() == 4 * segment);
    BOOST_TEST(of.through.well);
}

BOOST_AUTO_TEST_CASE(a_budget_may_rise_above_the_first) {
    attached of{segment + segment / 2, 4 * segment};
    const auto taken = of.take(1);
    BOOST_TEST(!of.arena.fits(segment));
    const auto small = of.take(1, mebibyte);
    BOOST_TEST(!of.arena.fits(4096));
    BOOST_TEST(of.mapped() == segment + segment / 2);
    of.arena.set_budget(64 * segment);
    BOOST_TEST(of.arena.budget() == 4 * segment);
    // The one that was cut short stays so while it is used, and no longer.
    const auto more = of.take(2);
    BOOST_TEST(!of.arena.fits(segment));
    of.arena.release(small[0], mebibyte);
    BOOST_TEST(of.mapped() == 3 * segment);
    BOOST_TEST(of.arena.allocate(segment) == small[0]);
    BOOST_TEST(!of.arena.fits(4096));
    BOOST_TEST(of.mapped() == 4 * segment);
}

BOOST_AUTO_TEST_CASE(a_free_segment_that_was_cut_short_is_mapped_anew) {
    attached of{segment + segment / 2, 4 * segment};
    const auto taken = of.take(1);
    of.arena.release(of.take(1, mebibyte)[0], mebibyte);
    BOOST_TEST(of.mapped() == segment + segment / 2);
    of.arena.set_budget(2 * segment);
    BOOST_TEST(of.mapped() == segment);
    BOOST_TEST(of.arena.fits(segment));
    BOOST_TEST(of.arena.allocate(segment) != nullptr);
    BOOST_TEST(of.mapped() == 2 * segment);
}

BOOST_AUTO_TEST_CASE(only_one_segment_is_cut_short) {
    attached of{segment + mebibyte, 4 * segment};
    const auto taken = of.take(1);
    const auto small = of.take(1, mebibyte);
    of.arena.set_budget(segment + mebibyte + mebibyte / 2);
    BOOST_TEST(!of.arena.fits(4096));
    BOOST_TEST(of.arena.allocate(4096) == nullptr);
    of.arena.release(small[0], mebibyte);
    BOOST_TEST(of.take(2, mebibyte / 2 + mebibyte / 4).size() == 2U);
    BOOST_TEST(of.mapped() == segment + mebibyte + mebibyte / 2);
}

BOOST_AUTO_TEST_CASE(a_budget_below_a_segment_can_grow) {
    attached of{768 * kibibyte, 4 * segment};
    BOOST_TEST(of.arena.segment_bytes() == segment);
    const auto taken = of.take(4, 192 * kibibyte);
    BOOST_TEST(!of.arena.fits(1));
    of.arena.set_budget(4 * segment);
    BOOST_TEST(of.take(3).size() == 3U);
    BOOST_TEST(of.mapped() == 768 * kibibyte + 3 * segment);
}

// Free ones elsewhere are given back for a long buffer's sake.
BOOST_AUTO_TEST_CASE(neighbours_may_take_the_place_of_segments_apart) {
    attached of{4 * segment, 8 * segment};
    const auto taken = of.take(4);
    of.arena.release(taken[0], segment);
    of.arena.release(taken[2], segment);
    BOOST_TEST(of.arena.fits(2 * segment));
    BOOST_TEST(!of.arena.fits(2 * segment + 1));
    std::byte* const large = of.arena.allocate(2 * segment);
    BOOST_TEST(large == taken[3] + segment);
    BOOST_TEST(of.mapped() == 4 * segment);
    BOOST_TEST(!of.arena.fits(4096));
    // They count as free, and are not there.
    BOOST_TEST(of.arena.segments() == 6U);
    BOOST_TEST(of.arena.state_of(0).buffer_bytes == 0U);
    of.arena.release(large, 2 * segment);
    BOOST_TEST(of.arena.fits(2 * segment));
}

BOOST_AUTO_TEST_CASE(what_lies_at_the_end_of_the_address_space_is_shorter) {
    attached of{3 * segment + mebibyte};
    const auto taken = of.take(3);
    BOOST_TEST(!of.arena.fits(segment));
    BOOST_TEST(of.take(1, mebibyte).size() == 1U);
    BOOST_TEST(!of.arena.fits(4096));
    of.arena.release(taken[1], segment);
    of.arena.set_budget(2 * segment + mebibyte);
    BOOST_TEST(of.mapped() == 2 * segment + mebibyte);
    of.arena.set_budget(3 * segment + mebibyte);
    BOOST_TEST(of.arena.allocate(segment) == taken[1]);
}

BOOST_AUTO_TEST_CASE(no_more_is_mapped_above_the_budget) {
    attached of{2 * segment, 4 * segment};
    const auto taken = of.take(2);
    of.arena.set_budget(segment);
    BOOST_TEST(!of.arena.fits(4096));
    BOOST_TEST(!of.arena.fits(2 * segment));
    BOOST_TEST(of.arena.allocate(4096) == nullptr);
    BOOST_TEST(of.mapped() == 2 * segment);
}

BOOST_AUTO_TEST_CASE(what_is_left_over_at_the_end_serves_small_buffers_first) {
    attached of{2 * segment + mebibyte};
    auto taken = of.take(2);
    taken.push_back(of.take(1, mebibyte)[0]);
    of.arena.release(taken[2], mebibyte);
    of.arena.release(taken[0], segment);
    BOOST_TEST(of.arena.allocate(4096) == taken[2]);
    BOOST_TEST(of.arena.allocate(segment) == taken[0]);
    of.arena.release(taken[0], segment);
    of.arena.release(taken[2], 4096);
    BOOST_TEST(of.arena.allocate(segment) == taken[0]);
}

BOOST_AUTO_TEST_CASE(neighbours_of_which_most_is_mapped_come_first) {
    attached of{7 * segment, 8 * segment};
    const auto taken = of.take(7);
    of.arena.release(taken[1], segment);
    of.arena.release(taken[2], segment);
    of.arena.set_budget(5 * segment);
    of.arena.set_budget(8 * segment);
    // One that was given back, not the eighth.
    std::byte* const one = of.arena.allocate(segment);
    BOOST_TEST((one == taken[1] || one == taken[2]));
    of.arena.release(one, segment);
    of.arena.set_budget(5 * segment);
    of.arena.set_budget(8 * segment);
    of.arena.release(taken[4], segment);
    of.arena.release(taken[5], segment);
    BOOST_TEST(of.arena.allocate(2 * segment) == taken[4]);
    // Two that are mapped, not the one before them that is not.
    of.arena.release(taken[3], segment);
    std::byte* const two = of.arena.allocate(2 * segment);
    BOOST_TEST(two == taken[2]);
    of.arena.release(two, 2 * segment);
    BOOST_TEST(of.arena.allocate(2 * segment) == two);
    BOOST_TEST(of.mapped() == 6 * segment);
}

namespace {

/// Three segments, of which each has been cut short: to seven eighths, to three quarters, to half.
struct cut_short : attached {
    cut_short() : attached(3 * segment, 8 * segment), taken(take(3)) {
        for (std::size_t i = 0; i < 3; ++i) {
            arena.release(taken[i], segment);
            arena.set_budget(arena.budget() - (i + 1) * (segment / 8));
            taken[i] = arena.allocate(used);
            BOOST_TEST_REQUIRE(taken[i] != nullptr);
            for (std::size_t other = i + 1; other < 3; ++other)
                BOOST_TEST_REQUIRE(arena.state_of(other).bytes == segment);
        }
        for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(arena.state_of(i).bytes < segment);
        BOOST_TEST(!arena.fits(4096));
    }
    static constexpr std::size_t used = segment / 2;
    std::vector<std::byte*> taken;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(of_segments_that_were_cut_short_one_is_made_that_is_long_enough,
                        cut_short) {
    const std::uint64_t budget = arena.budget();
    arena.release(taken[2], used);
    BOOST_TEST(!arena.fits(segment));
    BOOST_TEST(arena.allocate(segment) == nullptr);
    arena.release(taken[1], used);
    BOOST_TEST(arena.fits(segment));
    BOOST_TEST(arena.allocate(segment) != nullptr);
    BOOST_TEST(mapped() <= budget);
    BOOST_TEST(through.well);
}

BOOST_FIXTURE_TEST_CASE(neighbours_that_were_cut_short_serve_long_buffers, cut_short) {
    const std::uint64_t budget = arena.budget();
    arena.release(taken[0], used);
    arena.release(taken[1], used);
    BOOST_TEST(!arena.fits(segment + 3 * segment / 4));
    arena.release(taken[2], used);
    BOOST_TEST(!arena.fits(budget + 1));
    BOOST_TEST(arena.fits(budget));
    std::byte* const all = arena.allocate(budget);
    BOOST_TEST_REQUIRE(all != nullptr);
    std::memset(all, 1, budget);
    BOOST_TEST(mapped() == budget);
    arena.release(all, budget);
    BOOST_TEST(arena.allocate(segment + segment / 2) != nullptr);
    BOOST_TEST(arena.fault() == nullptr);
    BOOST_TEST(mapped() <= budget);
}

BOOST_AUTO_TEST_CASE(all_that_the_budget_allows_can_be_touched_and_registered_at_once) {
    attached of{2 * segment + mebibyte, 4 * segment};
    const auto taken = of.take(1);
    of.arena.prepare_all();
    arena_statistics found = of.arena.statistics();
    BOOST_TEST(found.mapped_bytes == 2 * segment + mebibyte);
    BOOST_TEST(found.registered_bytes == found.mapped_bytes);
    BOOST_TEST(!of.arena.unprepared());
    // Nothing of it is mapped anew when it is used.
    const auto more = of.take(1);
    BOOST_TEST(of.arena.buffer_index(more[0]) >= 0);
    BOOST_TEST(of.take(1, mebibyte).size() == 1U);
    of.arena.prepare_all();
    BOOST_TEST(of.mapped() == 2 * segment + mebibyte);
    BOOST_TEST(of.arena.fault() == nullptr);
    // Without a backend it is touched all the same.
    buffer_arena none{{.budget = segment, .huge_pages = false}};
    none.prepare_all();
    BOOST_TEST(none.statistics().mapped_bytes == segment);
    BOOST_TEST(none.statistics().registered_bytes == 0U);
    BOOST_TEST(none.fault() == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
