// Sizes and classes of buffers, whose they are, and where they are put.
#include "arena_support.hpp"

#include <leat/io/detail/buffer_arena.hpp>

#include <boost/test/data/test_case.hpp>

#include <set>

BOOST_AUTO_TEST_SUITE(buffer_arena_classes_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

constexpr std::size_t segment = 10 * mebibyte;

arena_options of_segments(std::uint64_t budget, std::uint64_t bytes) {
    return {.budget = budget, .huge_pages = false, .segment_bytes = bytes};
}

/// A user that is nothing but a number.
void* user(std::uintptr_t number) {
    return reinterpret_cast<void*>(number);
}

std::multiset<void*> users_in(const buffer_arena& arena, std::size_t number) {
    std::multiset<void*> found;
    arena.each_user(number, [&](void* one) { found.insert(one); });
    return found;
}

std::size_t count_of(buffer_arena& arena, std::size_t size) {
    std::size_t count = 0;
    while (arena.fits(size)) {
        BOOST_TEST_REQUIRE(arena.allocate(size) != nullptr);
        ++count;
    }
    BOOST_TEST(arena.allocate(size) == nullptr);
    return count;
}

struct size_and_class {
    std::size_t size;
    std::size_t bytes;
};
std::ostream& operator<<(std::ostream& to, const size_and_class& one) {
    return to << one.size << " in " << one.bytes;
}

const std::vector<size_and_class> classes{
    {1, 4 * kibibyte},
    {4095, 4 * kibibyte},
    {4096, 4 * kibibyte},
    {4097, 8 * kibibyte},
    {8193, 16 * kibibyte},
    {16385, 32 * kibibyte},
    {65535, 64 * kibibyte},
    {65536, 64 * kibibyte},
    {65537, 80 * kibibyte},
    {80 * kibibyte, 80 * kibibyte},
    {80 * kibibyte + 1, 96 * kibibyte},
    {96 * kibibyte + 1, 112 * kibibyte},
    {112 * kibibyte + 1, 128 * kibibyte},
    {128 * kibibyte, 128 * kibibyte},
    {128 * kibibyte + 1, 160 * kibibyte},
    {mebibyte + 1, 1280 * kibibyte},
    {4 * mebibyte + 1, 5 * mebibyte},
    {5 * mebibyte, 5 * mebibyte},
    {5 * mebibyte + 1, segment},
    {segment - 1, segment},
    {segment, segment},
    {segment + 1, 2 * segment},
    {2 * segment + 1, 3 * segment},
    {4 * segment, 4 * segment},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_buffer_is_as_long_as_its_class, classes) {
    buffer_arena arena(of_segments(4 * segment, segment));
    BOOST_TEST(arena.buffer_bytes(sample.size) == sample.bytes);
    BOOST_TEST(arena.buffers_in(4 * segment, sample.size) ==
               4 * segment / std::max(segment, sample.bytes) *
                   std::max<std::size_t>(1, segment / sample.bytes));
    std::byte* const memory = arena.allocate(sample.size);
    BOOST_TEST_REQUIRE(memory != nullptr);
    memory[0] = memory[sample.size - 1] = std::byte{1};
    BOOST_TEST(arena.statistics().used_bytes == sample.bytes);
    const part_state state = arena.state_of(arena.segment_of(memory + sample.size - 1));
    BOOST_TEST(state.buffer_bytes == sample.bytes);
    BOOST_TEST(state.used == 1U);
    BOOST_TEST(state.count == std::max<std::size_t>(1, segment / sample.bytes));
    arena.release(memory, sample.size);
    BOOST_TEST(arena.statistics().used_bytes == 0U);
    BOOST_TEST(count_of(arena, sample.size) == arena.buffers_in(4 * segment, sample.size));
}

BOOST_AUTO_TEST_CASE(sizes_that_no_arena_has) {
    buffer_arena arena(of_segments(4 * segment, segment));
    for (const std::size_t size : {std::size_t{0}, 4 * segment + 1, ~std::size_t{0}}) {
        BOOST_TEST(!arena.fits(size));
        BOOST_TEST(arena.allocate(size) == nullptr);
        BOOST_TEST(arena.allocate_outside(0, 1, size, nullptr) == nullptr);
    }
    BOOST_TEST(arena.segments() == 0U);
    BOOST_TEST(arena.buffers_in(4 * segment, 4 * segment + 1) == 0U);
}

struct chunks_of_a_budget {
    std::size_t chunk;
    std::size_t budget;
    std::size_t count;
};
std::ostream& operator<<(std::ostream& to, const chunks_of_a_budget& one) {
    return to << one.chunk << " in " << one.budget;
}

// Where chunks are no multiples of huge pages, nearly as many fit as without segments.
const std::vector<chunks_of_a_budget> chunks{
    {192 * kibibyte, 768 * kibibyte, 4},
    {64 * kibibyte, 128 * kibibyte, 2},
    {1088 * kibibyte, 2176 * kibibyte, 2},
    {1920 * kibibyte, 3840 * kibibyte, 2},
    {3 * mebibyte, 6 * mebibyte, 2},
    {3 * mebibyte, 300 * mebibyte, 100},
    {10 * mebibyte, 35 * mebibyte, 3},
    {10 * mebibyte + 64 * kibibyte, 20 * mebibyte + 128 * kibibyte, 2},
    {10 * mebibyte + 64 * kibibyte, 200 * mebibyte, 18},
};

BOOST_DATA_TEST_CASE(chunks_waste_little_of_a_budget, chunks) {
    buffer_arena arena(of_segments(sample.budget, sample.chunk));
    BOOST_TEST(arena.buffer_bytes(sample.chunk) == sample.chunk);
    BOOST_TEST(arena.buffer_bytes(sample.chunk - 1) == sample.chunk);
    BOOST_TEST(arena.buffers_in(sample.budget, sample.chunk) == sample.count);
    BOOST_TEST(count_of(arena, sample.chunk) == sample.count);
    BOOST_TEST(arena.statistics().mapped_bytes <= sample.budget);
}

// Two buffers fit a segment, though none of their regular class.
BOOST_AUTO_TEST_CASE(half_a_segment_is_a_class) {
    buffer_arena arena(of_segments(1152 * kibibyte, 1152 * kibibyte));
    BOOST_TEST(arena.segment_bytes() == 1152 * kibibyte);
    BOOST_TEST(arena.buffer_bytes(576 * kibibyte) == 576 * kibibyte);
    BOOST_TEST(arena.buffer_bytes(576 * kibibyte + 1) == 1152 * kibibyte);
    BOOST_TEST(arena.buffer_bytes(512 * kibibyte) == 512 * kibibyte);
    BOOST_TEST(count_of(arena, 576 * kibibyte) == 2U);
}

BOOST_AUTO_TEST_CASE(a_long_buffer_may_end_in_the_segment_that_is_shorter) {
    buffer_arena arena(of_segments(35 * mebibyte, segment));
    BOOST_TEST(arena.buffers_in(35 * mebibyte, 15 * mebibyte) == 2U);
    BOOST_TEST(count_of(arena, 15 * mebibyte) == 2U);
    BOOST_TEST(arena.statistics().used_bytes == 35 * mebibyte);
    BOOST_TEST(arena.buffers_in(45 * mebibyte, 15 * mebibyte) == 2U);
    buffer_arena other(of_segments(35 * mebibyte, segment));
    BOOST_TEST(other.buffers_in(35 * mebibyte, 16 * mebibyte) == 1U);
    BOOST_TEST(count_of(other, 16 * mebibyte) == 1U);
    // What is over serves others.
    BOOST_TEST(count_of(other, segment) == 1U);
    BOOST_TEST(count_of(other, 5 * mebibyte) == 1U);
}

BOOST_AUTO_TEST_CASE(long_buffers_need_neighbours) {
    buffer_arena arena(of_segments(5 * segment, segment));
    std::array<std::byte*, 5> taken{};
    for (std::byte*& memory : taken) memory = arena.allocate(segment);
    arena.release(taken[0], segment);
    arena.release(taken[2], segment);
    arena.release(taken[4], segment);
    BOOST_TEST(!arena.fits(2 * segment));
    BOOST_TEST(arena.allocate(2 * segment) == nullptr);
    arena.release(taken[3], segment);
    BOOST_TEST(arena.fits(3 * segment));
    BOOST_TEST(!arena.fits(3 * segment + 1));
    std::byte* const large = arena.allocate(2 * segment + 1, user(7));
    BOOST_TEST(large == taken[2]);
    for (const std::size_t number : {2U, 3U, 4U}) {
        BOOST_TEST((users_in(arena, number) == std::multiset<void*>{user(7)}));
        BOOST_TEST(arena.state_of(number).buffer_bytes == 3 * segment);
    }
    BOOST_TEST(arena.state_of(0).buffer_bytes == 0U);
    BOOST_TEST(arena.segment_of(large + 3 * segment - 1) == 4U);
    arena.release(large, 2 * segment + 1);
    BOOST_TEST(arena.state_of(3).buffer_bytes == 0U);
    BOOST_TEST(users_in(arena, 3).empty());
}

// One that is mapped already rather than new ones.
BOOST_AUTO_TEST_CASE(mapped_neighbours_come_first) {
    buffer_arena arena(of_segments(6 * segment, segment));
    std::array<std::byte*, 3> taken{};
    for (std::byte*& memory : taken) memory = arena.allocate(segment);
    arena.release(taken[2], segment);
    BOOST_TEST(arena.allocate(2 * segment) == taken[2]);
    BOOST_TEST(arena.segments() == 4U);
}

BOOST_AUTO_TEST_CASE(mapped_segments_come_before_new_ones) {
    buffer_arena arena(of_segments(4 * segment, segment));
    std::byte* const first = arena.allocate(segment);
    arena.release(first, segment);
    BOOST_TEST(arena.allocate(5000) == first);
    BOOST_TEST(arena.allocate(70'000) != nullptr);
    BOOST_TEST(arena.segments() == 2U);
    // Of a class that has room none is taken.
    BOOST_TEST(arena.allocate(5000) == first + 8192);
    BOOST_TEST(arena.segments() == 2U);
}

BOOST_AUTO_TEST_CASE(the_fullest_segment_that_has_room_comes_first) {
    buffer_arena arena(of_segments(8 * mebibyte, 2 * mebibyte));
    std::array<std::vector<std::byte*>, 4> of;
    for (int i = 0; i < 32; ++i) {
        std::byte* const memory = arena.allocate(256 * kibibyte);
        of[arena.segment_of(memory)].push_back(memory);
    }
    const auto take_out = [&](std::size_t number, int count) {
        for (; count > 0; --count) {
            arena.release(of[number].back(), 256 * kibibyte);
            of[number].pop_back();
        }
    };
    take_out(0, 3);
    take_out(1, 1);
    take_out(2, 7);
    take_out(3, 2);
    for (const std::size_t expected : {1U, 3U, 3U, 0U, 0U, 0U, 2U})
        BOOST_TEST(arena.segment_of(arena.allocate(256 * kibibyte)) == expected);
}

BOOST_AUTO_TEST_CASE(users_are_kept_with_their_buffers) {
    buffer_arena arena(of_segments(4 * mebibyte, 2 * mebibyte));
    std::vector<std::byte*> taken;
    for (std::uintptr_t i = 1; i <= 8; ++i)
        taken.push_back(arena.allocate(256 * kibibyte, user(i)));
    arena.release(taken[2], 256 * kibibyte);
    arena.release(taken[7], 256 * kibibyte);
    BOOST_TEST((users_in(arena, 0) ==
                std::multiset<void*>{user(1), user(2), user(4), user(5), user(6), user(7)}));
    // Nobody is a user, too.
    BOOST_TEST(arena.allocate(256 * kibibyte) == taken[7]);
    BOOST_TEST(users_in(arena, 0).count(nullptr) == 1U);
    BOOST_TEST(users_in(arena, 1).empty());
    BOOST_TEST(users_in(arena, 99).empty());
    // Whoever visits may let all of them go.
    arena.release(taken[7], 256 * kibibyte);
    std::size_t visited = 0;
    arena.each_user(0, [&](void* one) {
        ++visited;
        arena.release(taken[reinterpret_cast<std::uintptr_t>(one) - 1], 256 * kibibyte);
    });
    BOOST_TEST(visited == 6U);
    BOOST_TEST(arena.state_of(0).buffer_bytes == 0U);
}

BOOST_AUTO_TEST_CASE(a_buffer_may_be_had_outside_a_segment) {
    buffer_arena arena(of_segments(8 * mebibyte, 2 * mebibyte));
    const auto outside = [&](std::size_t number, std::size_t size) {
        return arena.allocate_outside(number, 1, size, user(9));
    };
    std::vector<std::byte*> taken;
    for (int i = 0; i < 12; ++i) taken.push_back(arena.allocate(256 * kibibyte));
    std::byte* const other = arena.allocate(64 * kibibyte);
    BOOST_TEST(arena.segment_of(other) == 2U);
    arena.release(taken[1], 256 * kibibyte);
    arena.release(taken[2], 256 * kibibyte);
    // The first has two free places, the second four.
    const std::uint64_t mapped = arena.statistics().mapped_bytes;
    for (int i = 0; i < 4; ++i) {
        std::byte* const memory = outside(0, 250 * kibibyte);
        BOOST_TEST_REQUIRE(memory != nullptr);
        BOOST_TEST(arena.segment_of(memory) == 1U);
    }
    BOOST_TEST(users_in(arena, 1).count(user(9)) == 4U);
    BOOST_TEST(outside(0, 250 * kibibyte) == nullptr);
    BOOST_TEST(arena.segment_of(outside(1, 250 * kibibyte)) == 0U);
    BOOST_TEST(outside(buffer_arena::no_segment, 250 * kibibyte) == taken[1]);
    BOOST_TEST(outside(buffer_arena::no_segment, 250 * kibibyte) == nullptr);
    // Neither classes without segments nor longer buffers get any.
    BOOST_TEST(outside(2, 64 * kibibyte) == nullptr);
    BOOST_TEST(outside(0, 4096) == nullptr);
    BOOST_TEST(outside(0, 2 * mebibyte) == nullptr);
    BOOST_TEST(outside(0, 4 * mebibyte) == nullptr);
    BOOST_TEST(arena.statistics().mapped_bytes == mapped);
    BOOST_TEST(arena.fits(2 * mebibyte));
}

BOOST_AUTO_TEST_CASE(addresses_lead_to_segments) {
    buffer_arena arena(of_segments(8 * mebibyte, 2 * mebibyte));
    BOOST_TEST(arena.segment_of(nullptr) == buffer_arena::no_segment);
    for (std::size_t i = 0; i < 3; ++i) {
        std::byte* const memory = arena.allocate(2 * mebibyte);
        BOOST_TEST(arena.segment_of(memory) == i);
        BOOST_TEST(arena.segment_of(memory + 2 * mebibyte - 1) == i);
        if (i == 0) BOOST_TEST(arena.segment_of(memory - 1) == buffer_arena::no_segment);
        if (i == 2) BOOST_TEST(arena.segment_of(memory + 2 * mebibyte) == buffer_arena::no_segment);
    }
    std::byte elsewhere{};
    BOOST_TEST(arena.segment_of(&elsewhere) == buffer_arena::no_segment);
    buffer_arena none({0});
    BOOST_TEST(none.segment_of(&elsewhere) == buffer_arena::no_segment);
    BOOST_TEST(none.buffer_index(&elsewhere) == -1);
    BOOST_TEST(none.state_of(0).buffer_bytes == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
