// What an arena asks the kernel for, and what it does when it is refused.
#include "arena_support.hpp"

#include <leat/io/detail/buffer_arena.hpp>

#include <sys/mman.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <functional>

using namespace leat::io;
using namespace leat::io::test;

namespace {

/// The calls that the functions below have met, and which of them they refuse.
struct calls {
    unsigned maps = 0;
    unsigned unmaps = 0;
    unsigned protections = 0;
    unsigned advice = 0;
    unsigned moves = 0;
    std::int64_t space = 0;   ///< bytes mapped, whatever is there
    bool huge_pages = false;  ///< other pages are given out as reserved huge ones
    int refused_advice = -1;
    bool refuse_maps = false;
    bool refuse_protections = false;
    /// What happens instead of a move, which fails.
    std::function<void(void* to, std::size_t bytes)> instead_of_moving;

    [[nodiscard]] unsigned all() const { return maps + unmaps + protections + advice + moves; }
};
calls met;

void* call_mmap(void* at, std::size_t bytes, int access, int flags, int file, off_t offset) {
    return reinterpret_cast<void*>(::syscall(SYS_mmap, at, bytes, access, flags, file, offset));
}

void* failed(int error) {
    errno = error;
    return MAP_FAILED;
}

}  // namespace

// In place of the C library's.
extern "C" {
void* mmap(void* at, std::size_t bytes, int access, int flags, int file, off_t offset) noexcept {
    ++met.maps;
    if (met.refuse_maps) return failed(ENOMEM);
    if ((flags & MAP_HUGETLB) != 0) {
        if (!met.huge_pages) return failed(ENOMEM);
        flags = MAP_PRIVATE | MAP_ANONYMOUS;
    }
    void* const mapped = call_mmap(at, bytes, access, flags, file, offset);
    if (mapped != MAP_FAILED && (flags & MAP_FIXED) == 0)
        met.space += static_cast<std::int64_t>(bytes);
    return mapped;
}
int munmap(void* at, std::size_t bytes) noexcept {
    ++met.unmaps;
    met.space -= static_cast<std::int64_t>(bytes);
    return static_cast<int>(::syscall(SYS_munmap, at, bytes));
}
int mprotect(void* at, std::size_t bytes, int access) noexcept {
    ++met.protections;
    if (met.refuse_protections) {
        errno = ENOMEM;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_mprotect, at, bytes, access));
}
int madvise(void* at, std::size_t bytes, int advice) noexcept {
    ++met.advice;
    if (advice == met.refused_advice) {
        errno = EFAULT;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_madvise, at, bytes, advice));
}
void* mremap(void* at, std::size_t before, std::size_t after, int flags, ...) noexcept {
    ++met.moves;
    std::va_list rest;
    va_start(rest, flags);
    void* const to = va_arg(rest, void*);
    va_end(rest);
    if (met.instead_of_moving) {
        met.instead_of_moving(to, after);
        return failed(EINVAL);
    }
    met.space -= static_cast<std::int64_t>(after);  // what was there before
    return reinterpret_cast<void*>(::syscall(SYS_mremap, at, before, after, flags, to));
}
}

namespace {

constexpr std::size_t segment = 2 * mebibyte;
constexpr int populate_write = 23;

struct fixture {
    fixture() { met = {}; }
    ~fixture() { met = {}; }
};

bool usable(std::byte* memory, std::size_t bytes) {
    if (memory == nullptr) return false;
    std::memset(memory, 0x5A, bytes);
    return memory[bytes - 1] == std::byte{0x5A};
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_change_of_class_reaches_no_kernel, fixture) {
    recording_backend through;
    buffer_arena arena({.budget = 4 * segment});
    arena.attach(through);
    std::vector<std::byte*> taken;
    while (arena.fits(segment)) taken.push_back(arena.allocate(segment));
    BOOST_TEST(taken.size() == 4U);
    prepare_mapped(arena);
    BOOST_TEST(through.calls == 4U);
    BOOST_TEST(met.protections == 4U);
    const unsigned before = met.all();
    std::size_t size = segment;
    for (const std::size_t next :
         {4096UL, 65536UL, 80 * kibibyte, segment, mebibyte, 3 * segment, 8192UL}) {
        for (std::byte* const one : taken) arena.release(one, size);
        taken.clear();
        size = next;
        while (arena.fits(size)) taken.push_back(arena.allocate(size));
        BOOST_TEST_REQUIRE(!taken.empty());
    }
    BOOST_TEST(met.all() == before);
    BOOST_TEST(through.calls == 4U);
    arena.detach();
}

BOOST_FIXTURE_TEST_CASE(memory_that_is_refused_is_asked_for_again, fixture) {
    buffer_arena arena({.budget = 4 * segment});
    met.refuse_protections = true;
    BOOST_TEST(arena.fits(4096));
    BOOST_TEST(arena.allocate(4096) == nullptr);
    BOOST_TEST(arena.allocate(3 * segment) == nullptr);
    BOOST_TEST(arena.segments() == 0U);
    BOOST_TEST(arena.statistics().mapped_bytes == 0U);
    met.refuse_protections = false;
    BOOST_TEST(usable(arena.allocate(3 * segment), 3 * segment));
    met.refuse_protections = true;
    BOOST_TEST(arena.allocate(4096) == nullptr);
    BOOST_TEST(arena.segments() == 3U);
    met.refuse_protections = false;
    BOOST_TEST(usable(arena.allocate(4096), 4096));
}

BOOST_FIXTURE_TEST_CASE(a_long_buffer_that_is_refused_keeps_nothing, fixture) {
    buffer_arena arena({.budget = 4 * segment, .huge_pages = false});
    std::byte* const first = arena.allocate(segment);
    arena.release(first, segment);
    met.refuse_protections = true;
    BOOST_TEST(arena.allocate(2 * segment) == nullptr);
    BOOST_TEST(arena.statistics().mapped_bytes == segment);
    BOOST_TEST(arena.statistics().divided_bytes == 0U);
    BOOST_TEST(arena.allocate(segment) == first);
}

BOOST_FIXTURE_TEST_CASE(without_address_space_there_is_no_memory, fixture) {
    met.refuse_maps = true;
    buffer_arena arena({.budget = 4 * segment});
    BOOST_TEST(arena.budget() == 0U);
    BOOST_TEST(!arena.fits(1));
    BOOST_TEST(arena.allocate(4096) == nullptr);
}

BOOST_FIXTURE_TEST_CASE(half_the_address_space_serves_half_the_budget, fixture) {
    // All that a process may have, of which something is taken.
    buffer_arena arena({.budget = std::uint64_t{1} << 47, .most_budget = 1});
    BOOST_TEST(arena.budget() > 0U);
    BOOST_TEST(arena.budget() < std::uint64_t{1} << 47);
}

BOOST_FIXTURE_TEST_CASE(reserved_huge_pages_are_put_in_their_place, fixture) {
    met.huge_pages = true;
    buffer_arena arena({.budget = 4 * segment});
    std::byte* const first = arena.allocate(segment);
    BOOST_TEST(usable(first, segment));
    BOOST_TEST(met.moves == 1U);
    BOOST_TEST(met.protections == 0U);
    BOOST_TEST(arena.statistics().hugetlb_segments == 1U);
    std::byte* const second = arena.allocate(segment);
    BOOST_TEST(second == first + segment);
    // Where they end, others serve, and none is asked for any more; that is no refusal.
    met.huge_pages = false;
    BOOST_TEST(arena.allocate(segment) == second + segment);
    const unsigned maps = met.maps;
    BOOST_TEST(usable(arena.allocate(segment), segment));
    BOOST_TEST(met.maps == maps);
    BOOST_TEST(arena.statistics().hugetlb_segments == 2U);
    BOOST_TEST(arena.statistics().hugetlb_refusals == 0U);
    arena.release(first, segment);
    arena.set_budget(3 * segment);
    BOOST_TEST(arena.statistics().hugetlb_segments == 1U);
}

BOOST_FIXTURE_TEST_CASE(huge_pages_that_may_not_be_touched_are_counted, fixture) {
    met.huge_pages = true;
    met.refused_advice = populate_write;
    buffer_arena arena({.budget = 4 * segment});
    BOOST_TEST(usable(arena.allocate(segment), segment));
    BOOST_TEST(usable(arena.allocate(segment), segment));
    BOOST_TEST(arena.statistics().hugetlb_refusals == 1U);
    BOOST_TEST(arena.statistics().hugetlb_segments == 0U);
    BOOST_TEST(met.moves == 0U);
}

// As Linux does before 5.16.
BOOST_FIXTURE_TEST_CASE(huge_pages_that_cannot_be_moved_are_counted, fixture) {
    met.huge_pages = true;
    met.instead_of_moving = [](void* to, std::size_t bytes) {
        ::syscall(SYS_munmap, to, bytes);
        met.space -= static_cast<std::int64_t>(bytes);
    };
    {
        buffer_arena arena({.budget = 4 * segment});
        for (int i = 0; i < 4; ++i) BOOST_TEST(usable(arena.allocate(segment), segment));
        BOOST_TEST(arena.statistics().hugetlb_refusals == 1U);
        BOOST_TEST(met.moves == 1U);
    }
    BOOST_TEST(met.space == 0);
}

BOOST_FIXTURE_TEST_CASE(an_arena_leaves_no_address_space_behind, fixture) {
    for (const bool huge : {false, true}) {
        met.huge_pages = huge;
        for (int i = 0; i < 3; ++i) {
            buffer_arena arena({.budget = 4 * segment + 4096});
            BOOST_TEST(met.space == 4 * segment + 4096);
            BOOST_TEST(usable(arena.allocate(segment), segment));
            BOOST_TEST(met.space == 4 * segment + 4096);
        }
        BOOST_TEST(met.space == 0);
    }
}

BOOST_FIXTURE_TEST_CASE(what_is_no_multiple_of_a_huge_page_has_none, fixture) {
    met.huge_pages = true;
    buffer_arena arena({.budget = segment + mebibyte});
    BOOST_TEST(usable(arena.allocate(segment), segment));
    BOOST_TEST(usable(arena.allocate(mebibyte), mebibyte));
    BOOST_TEST(arena.statistics().hugetlb_segments == 1U);
    BOOST_TEST(arena.statistics().plain_segments == 1U);
}

BOOST_FIXTURE_TEST_CASE(memory_of_another_thread_in_the_gap_is_not_touched, fixture) {
    std::byte* foreign = nullptr;
    met.huge_pages = true;
    {
        buffer_arena arena({.budget = 6 * segment});
        std::array<std::byte*, 3> taken{};
        for (std::byte*& memory : taken) memory = arena.allocate(segment);
        met.instead_of_moving = [&](void* to, std::size_t bytes) {
            foreign = static_cast<std::byte*>(call_mmap(
                to, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
            *foreign = std::byte{7};
        };
        BOOST_TEST(arena.allocate(segment) == nullptr);
        BOOST_TEST(foreign == taken[2] + segment);
        BOOST_TEST(!arena.fits(segment));
        BOOST_TEST(arena.allocate(4096) == nullptr);
        // What there is serves on.
        arena.release(taken[0], segment);
        arena.release(taken[2], segment);
        BOOST_TEST(!arena.fits(2 * segment));
        BOOST_TEST(arena.allocate(4096) == taken[2]);
        BOOST_TEST(arena.statistics().hugetlb_refusals == 1U);
    }
    BOOST_TEST((*foreign == std::byte{7}));
    ::syscall(SYS_munmap, foreign, segment);
}

BOOST_FIXTURE_TEST_CASE(pages_are_given_back_where_their_mapping_must_stay, fixture) {
    buffer_arena arena({.budget = 2 * segment, .huge_pages = false});
    std::byte* const first = arena.allocate(segment);
    BOOST_TEST(usable(first, segment));
    arena.release(first, segment);
    met.refuse_maps = true;
    arena.set_budget(0);
    BOOST_TEST(arena.statistics().mapped_bytes == 0U);
    met.refuse_maps = false;
    arena.set_budget(segment);
    BOOST_TEST(arena.allocate(segment) == first);
    BOOST_TEST((*first == std::byte{0}));
}
