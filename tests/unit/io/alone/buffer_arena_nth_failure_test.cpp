// Memory for what an arena notes of its buffers fails: nothing is lost.
#include "arena_support.hpp"
#include "failing_memory.hpp"

#include <leat/io/detail/buffer_arena.hpp>

#include <array>

using namespace leat::io;
using namespace leat::io::test;
using leat::test::failing_memory;

namespace {

/// Allocates with each of the first allocations of memory failing; returns how many could.
int fail_each(std::size_t size, std::size_t segment = 0, std::size_t slab = 0) {
    for (int nth = 1;; ++nth) {
        buffer_arena arena({.budget = 8 * mebibyte,
                            .huge_pages = false,
                            .segment_bytes = segment,
                            .slab_bytes = slab});
        std::byte* memory = nullptr;
        bool failed = false;
        {
            const failing_memory limit{nth};
            memory = arena.allocate(size);
            failed = failing_memory::end();
        }
        BOOST_TEST_REQUIRE(arena.fault() == nullptr);
        if (!failed) {
            BOOST_TEST(memory != nullptr);
            return nth - 1;
        }
        BOOST_TEST(memory == nullptr);
        BOOST_TEST(arena.statistics().used_bytes == 0U);
        BOOST_TEST(arena.statistics().divided_bytes == 0U);
        BOOST_TEST(arena.fits(8 * mebibyte));
        BOOST_TEST(arena.allocate(8 * mebibyte) != nullptr);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_memory_there_is_no_buffer) {
    for (const std::size_t size : {std::size_t{4096}, 2 * mebibyte, 5 * mebibyte})
        BOOST_TEST(fail_each(size) >= 2);
    for (const std::size_t size : {std::size_t{4096}, std::size_t{65536}, mebibyte})
        BOOST_TEST(fail_each(size, 4 * mebibyte, mebibyte) >= (size < mebibyte ? 4 : 2));
}

BOOST_AUTO_TEST_CASE(without_memory_nothing_moves) {
    for (int nth = 1;; ++nth) {
        buffer_arena arena({.budget = 8 * mebibyte,
                            .huge_pages = false,
                            .segment_bytes = 4 * mebibyte,
                            .slab_bytes = mebibyte});
        std::byte* const one = arena.allocate(4096);
        bool failed = false;
        std::byte* moved = nullptr;
        {
            const failing_memory limit{nth};
            moved = arena.allocate_outside(arena.part_of(one), 1, 4096, nullptr);
            failed = failing_memory::end();
        }
        BOOST_TEST(failed == (moved == nullptr));
        BOOST_TEST_REQUIRE(arena.fault() == nullptr);
        BOOST_TEST(arena.statistics().used_bytes == (failed ? 4096U : 8192U));
        if (failed) continue;
        BOOST_TEST(nth > 1);
        break;
    }
}

BOOST_AUTO_TEST_CASE(neighbours_behind_all_others_are_noted_all_or_none) {
    constexpr std::size_t segment = 512 * kibibyte;
    for (int nth = 1; nth < 9; ++nth) {
        buffer_arena arena({.budget = 3 * segment + 4096,
                            .huge_pages = false,
                            .segment_bytes = segment,
                            .slab_bytes = 128 * kibibyte});
        std::array<std::byte*, 3> made{};
        for (std::byte*& one : made) one = arena.allocate(segment);
        arena.set_budget(2 * segment);
        arena.release(made[1], segment);
        arena.set_budget(800 * kibibyte);
        arena.release(made[0], segment);
        arena.release(made[2], segment);
        arena.set_budget(744 * kibibyte);
        const failing_memory limit{nth};
        std::byte* const longer = arena.allocate(segment + 4096);
        const bool failed = failing_memory::end();
        BOOST_TEST(failed == (longer == nullptr));
        BOOST_TEST_REQUIRE(arena.fault() == nullptr);
    }
}

BOOST_AUTO_TEST_CASE(releasing_takes_no_memory) {
    buffer_arena arena({.budget = 8 * mebibyte, .huge_pages = false});
    std::vector<std::byte*> taken;
    while (arena.fits(65536)) taken.push_back(arena.allocate(65536));
    const failing_memory limit{1, true};
    for (std::byte* const one : taken) arena.release(one, 65536);
    arena.set_budget(0);
    failing_memory::end();
    BOOST_TEST(arena.statistics().mapped_bytes == 0U);
}
