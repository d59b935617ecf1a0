// What kinds of memory buffers get, and limits on it.
#include "io_support.hpp"
#include "locked_memory.hpp"

#include <leat/io/detail/buffer_arena.hpp>
#include <leat/io/detail/file_read.hpp>

#include <cstdio>
#include <cstring>
#include <fstream>

BOOST_AUTO_TEST_SUITE(buffer_arena_memory_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

constexpr std::size_t mebibyte = 1 << 20;

std::uintptr_t number(const std::byte* memory) {
    return reinterpret_cast<std::uintptr_t>(memory);
}

/// What the kernel notes about the mapping that holds `memory`, as "VmFlags: rd wr dc ...".
std::string memory_flags(const std::byte* memory) {
    std::ifstream maps("/proc/self/smaps");
    bool inside = false;
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t first = 0;
        std::uintptr_t last = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx ", &first, &last) == 2) {
            inside = first <= number(memory) && number(memory) < last;
        } else if (inside && line.rfind("VmFlags:", 0) == 0) {
            return line;
        }
    }
    return {};
}

/// Makes rings in a row, and registers more than half of what may be locked with each. Returns 0,
/// or the number of the round in which that failed.
int register_again_and_again() {
    buffer_arena arena({6 * mebibyte});
    std::byte* const memory = arena.allocate(5 * mebibyte);
    for (int round = 1; round <= 20; ++round) {
        std::string note;
        const auto through = make_backend({backend_kind::uring, 64, 256}, note);
        if (through->register_buffer(0, {memory, 5 * mebibyte}) || !note.empty()) {
            return round;
        }
    }
    return 0;
}

/// Reads a file of 10 MiB and 123 bytes through an arena whose registration is refused. Returns 0,
/// or the number of what went wrong.
int read_with_little_locked_memory(const std::string& path) {
    std::string note;
    const auto through = make_backend({backend_kind::uring}, note);
    buffer_arena arena({.budget = 64 * mebibyte, .segment_bytes = 10 * mebibyte});
    arena.attach(*through);
    const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct statx attributes{};
    if (::statx(opened, "", AT_EMPTY_PATH, file::stat_mask, &attributes) != 0) {
        return 2;
    }
    const auto from = file::adopt(opened, attributes);
    for (std::uint64_t offset = 0; offset < from->size(); offset += 10 * mebibyte) {
        std::byte* const memory = arena.allocate(10 * mebibyte);
        while (arena.unprepared()) arena.prepare();
        if (memory == nullptr || arena.buffer_index(memory) != -1) {
            return 3;
        }
        file_read read;
        read.start(*through, *from, offset, {memory, 10 * mebibyte}, arena.buffer_index(memory),
                   [](file_read&) noexcept {});
        if (!finish(*through) || read.error()) {
            return 4;
        }
        if (read.count() != std::min<std::uint64_t>(from->size() - offset, 10 * mebibyte) ||
            !patterned(memory, offset, read.count())) {
            return 5;
        }
    }
    // Tried once, not for each segment.
    const auto statistics = arena.statistics();
    const bool once = statistics.segments == 2 && statistics.registration_failures == 1 &&
                      statistics.registered_bytes == 0 &&
                      through->statistics().registration_failures == 1;
    arena.detach();
    return once ? 0 : 6;
}

}  // namespace

BOOST_AUTO_TEST_CASE(memory_stays_out_of_forks_and_core_files) {
    for (const bool huge : {true, false}) {
        buffer_arena arena({64 * mebibyte, huge, true, 10 * mebibyte});
        for (const std::size_t size : {65536UL, 10 * mebibyte}) {
            std::byte* const memory = arena.allocate(size);
            BOOST_TEST_REQUIRE(memory != nullptr);
            const std::string flags = memory_flags(memory);
            BOOST_TEST(flags.find(" dc") != std::string::npos, flags);
            BOOST_TEST(flags.find(" dd") != std::string::npos, flags);
        }
        const auto statistics = arena.statistics();
        const bool transparent =
            memory_flags(arena.allocate(10 * mebibyte)).find(" hg") != std::string::npos;
        BOOST_TEST(transparent == (statistics.transparent_segments > 0));
        BOOST_TEST((huge || statistics.plain_segments == statistics.segments));
    }
}

BOOST_AUTO_TEST_CASE(reserved_huge_pages_come_first) {
    std::uint64_t free_pages = 0;
    std::ifstream("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages") >> free_pages;
    if (free_pages < 5) {
        BOOST_TEST_MESSAGE("skipped: no reserved huge pages");
        return;
    }
    buffer_arena arena({.budget = 64 * mebibyte, .segment_bytes = 10 * mebibyte});
    std::byte* const memory = arena.allocate(10 * mebibyte);
    BOOST_TEST_REQUIRE(memory != nullptr);
    BOOST_TEST(arena.statistics().hugetlb_segments == 1U);
    BOOST_TEST(memory_flags(memory).find(" ht") != std::string::npos);
    std::memset(memory, 1, 10 * mebibyte);
    // Where the reserve ends, the next kind serves.
    std::vector<std::byte*> more;
    buffer_arena greedy({(free_pages + 10) * 2 * mebibyte});
    for (std::uint64_t i = 0; i < free_pages; ++i) {
        more.push_back(greedy.allocate(2 * mebibyte));
        BOOST_TEST_REQUIRE(more.back() != nullptr);
    }
    BOOST_TEST(greedy.statistics().hugetlb_segments > 0U);
    BOOST_TEST(greedy.statistics().hugetlb_segments < greedy.statistics().segments);
}

// What a ring has locked can be locked by the next one as soon as the first is gone.
BOOST_AUTO_TEST_CASE(locked_memory_comes_back_at_once) {
    if (!make<uring_kind>()) {
        return;
    }
    const int failed =
        leat::test::with_locked_memory(8 * mebibyte, [&] { return register_again_and_again(); });
    BOOST_TEST(failed == 0);
}

BOOST_AUTO_TEST_CASE(a_backend_without_registration_has_not_failed) {
    const auto through = make<thread_kind>();
    buffer_arena arena({64 * mebibyte});
    arena.attach(*through);
    for (int i = 0; i < 2; ++i) {
        std::byte* const memory = arena.allocate(10 * mebibyte);
        BOOST_TEST_REQUIRE(memory != nullptr);
        while (arena.unprepared()) arena.prepare();
        BOOST_TEST(arena.buffer_index(memory) == -1);
    }
    BOOST_TEST(arena.statistics().registration_failures == 0U);
    arena.detach();
}

// An ordinary user's default does not allow one chunk to be locked.
BOOST_AUTO_TEST_CASE(too_little_memory_may_be_locked) {
    if (!make<uring_kind>()) {
        return;
    }
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 10 * mebibyte + 123);
    const int failed = leat::test::with_locked_memory(
        8 * mebibyte, [&] { return read_with_little_locked_memory(path); });
    BOOST_TEST(failed == 0);
}

BOOST_AUTO_TEST_SUITE_END()
