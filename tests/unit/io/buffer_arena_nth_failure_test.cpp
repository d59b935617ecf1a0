// Memory for what an arena notes of its buffers fails: nothing is lost.
#include "arena_support.hpp"
#include "failing_memory.hpp"

#include <leat/io/detail/buffer_arena.hpp>

using namespace leat::io;
using namespace leat::io::test;
using leat::test::failing_memory;

namespace {

/// Allocates with each of the first allocations of memory failing; returns how many could.
int fail_each(std::size_t size) {
    for (int nth = 1;; ++nth) {
        buffer_arena arena({.budget = 8 * mebibyte, .huge_pages = false});
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
