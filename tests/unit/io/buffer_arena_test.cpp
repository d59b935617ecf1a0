// Buffers, segments, the budget and registration.
#include "arena_support.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <thread>

BOOST_AUTO_TEST_SUITE(buffer_arena_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {
/// Bytes that have pages.
std::size_t touched(std::byte* memory, std::size_t bytes) {
    std::vector<unsigned char> pages(bytes / 4096);
    BOOST_TEST_REQUIRE(::mincore(memory, bytes, pages.data()) == 0);
    return 4096 * static_cast<std::size_t>(std::count_if(pages.begin(), pages.end(),
                                                         [](auto one) { return (one & 1) != 0; }));
}
}  // namespace

BOOST_AUTO_TEST_CASE(a_segment_is_touched_bit_by_bit_and_then_registered) {
    constexpr std::size_t size = 10 * mebibyte;
    for (const bool huge : {false, true}) {
        recording_backend through;
        buffer_arena arena({.budget = 3 * size, .huge_pages = huge, .segment_bytes = size});
        arena.attach(through);
        BOOST_TEST(!arena.unprepared());
        std::byte* const memory = arena.allocate(64 * kibibyte);
        if (arena.statistics().hugetlb_segments != 0) return arena.detach();
        BOOST_TEST(touched(memory, size) == 0U);
        for (std::size_t steps = 0; through.calls == 0; ++steps) {
            BOOST_TEST_REQUIRE(steps < 5U);
            const std::size_t before = touched(memory, size);
            arena.prepare();
            BOOST_TEST(touched(memory, size) - before <= buffer_arena::most_touched_at_once);
        }
        BOOST_TEST(touched(memory, size) == size);
        BOOST_TEST(arena.buffer_index(memory) == 0);
        BOOST_TEST(!arena.unprepared());
        arena.detach();
    }
}

BOOST_AUTO_TEST_CASE(the_next_segment_is_ready_before_it_is_needed) {
    constexpr std::size_t size = 10 * mebibyte;
    recording_backend through;
    buffer_arena arena({.budget = 2 * size + mebibyte, .segment_bytes = size});
    arena.attach(through);
    for (int i = 0; i < 5; ++i) BOOST_TEST(arena.allocate(mebibyte) != nullptr);
    while (arena.unprepared()) arena.prepare();
    BOOST_TEST(arena.statistics().segments == 1U);
    BOOST_TEST(arena.allocate(mebibyte) != nullptr);
    while (arena.unprepared()) arena.prepare();
    BOOST_TEST(arena.statistics().segments == 2U);
    BOOST_TEST(arena.statistics().registered_bytes == 2 * size);
    // What is left of the budget is no segment.
    BOOST_TEST(arena.allocate(size) != nullptr);
    for (int i = 0; i < 4; ++i) BOOST_TEST(arena.allocate(mebibyte) != nullptr);
    BOOST_TEST(!arena.unprepared());
    BOOST_TEST(arena.statistics().segments == 2U);
    arena.detach();
}

// What remains is not cleared again, but registered anew, since its end has no pages any more.
BOOST_AUTO_TEST_CASE(a_free_segment_is_cut_where_the_budget_falls_a_little) {
    constexpr std::size_t size = 10 * mebibyte;
    recording_backend through;
    buffer_arena arena({.budget = 2 * size, .huge_pages = false, .segment_bytes = size});
    arena.attach(through);
    std::byte* const first = arena.allocate(size);
    std::byte* const second = arena.allocate(size);
    prepare_mapped(arena);
    second[0] = std::byte{7};
    arena.release(second, size);
    arena.set_budget(2 * size - mebibyte);
    BOOST_TEST(arena.statistics().mapped_bytes == 2 * size - mebibyte);
    BOOST_TEST(arena.statistics().registered_bytes == 2 * size - mebibyte);
    BOOST_TEST(through.registered.at(1).size() == size - mebibyte);
    BOOST_TEST(touched(second, size) == size - mebibyte);
    BOOST_TEST(!arena.unprepared());
    std::byte* const again = arena.allocate(5 * mebibyte);
    BOOST_TEST(again == second);
    BOOST_TEST((*again == std::byte{7}));
    // Another that would be shorter goes as a whole if there would be little left of it.
    arena.release(first, size);
    arena.set_budget(size);
    BOOST_TEST(arena.statistics().mapped_bytes == size - mebibyte);
    BOOST_TEST(through.well);
    arena.detach();
}

BOOST_AUTO_TEST_CASE(what_is_unregistered_serves_on) {
    recording_backend through;
    buffer_arena arena({.budget = 64 * mebibyte, .segment_bytes = 10 * mebibyte});
    arena.attach(through);
    std::byte* const first = arena.allocate(10 * mebibyte);
    prepare_mapped(arena);
    BOOST_TEST(arena.buffer_index(first) >= 0);
    arena.unregister();
    BOOST_TEST(through.registered.empty());
    BOOST_TEST(arena.buffer_index(first) == -1);
    std::byte* const second = arena.allocate(10 * mebibyte);
    BOOST_TEST_REQUIRE(second != nullptr);
    BOOST_TEST(!arena.unprepared());
    BOOST_TEST(arena.buffer_index(second) == -1);
    BOOST_TEST(through.registered.empty());
    BOOST_TEST(arena.statistics().registered_bytes == 0U);
    BOOST_TEST(arena.statistics().registration_failures == 0U);
    arena.detach();
}

BOOST_AUTO_TEST_CASE(buffers_are_aligned_and_apart) {
    buffer_arena arena({64 * mebibyte});
    std::set<std::byte*> seen;
    for (const std::size_t size : {4096UL, 5000UL, 65536UL, 2 * mebibyte, 10 * mebibyte}) {
        for (int i = 0; i < 3; ++i) {
            std::byte* const memory = arena.allocate(size);
            BOOST_TEST_REQUIRE(memory != nullptr);
            BOOST_TEST(number(memory) % (size % (2 * mebibyte) == 0 ? 2 * mebibyte : 4096) == 0U);
            std::memset(memory, 0xA5, size);
            BOOST_TEST(seen.insert(memory).second);
        }
    }
    const auto statistics = arena.statistics();
    BOOST_TEST(statistics.used_bytes == 3 * (4096 + 8192 + 65536 + 12 * mebibyte));
    BOOST_TEST(statistics.mapped_bytes <= 64 * mebibyte);
    BOOST_TEST(statistics.segments == statistics.hugetlb_segments +
                                          statistics.transparent_segments +
                                          statistics.plain_segments);
    BOOST_TEST(arena.allocate(0) == nullptr);
    BOOST_TEST(arena.allocate(~std::size_t{0}) == nullptr);
    buffer_arena boundless({~std::uint64_t{0}});
    BOOST_TEST(boundless.allocate(~std::size_t{0}) == nullptr);
    BOOST_TEST(boundless.allocate(~std::size_t{0} - 4096) == nullptr);
}

BOOST_AUTO_TEST_CASE(the_budget_is_kept) {
    constexpr std::size_t size = 10 * mebibyte;
    buffer_arena arena({.budget = 35 * mebibyte, .segment_bytes = size});
    std::array<std::byte*, 3> taken{};
    for (std::byte*& memory : taken) {
        memory = arena.allocate(size);
        BOOST_TEST_REQUIRE(memory != nullptr);
    }
    BOOST_TEST(!arena.fits(size));
    BOOST_TEST(arena.allocate(size) == nullptr);
    // What is left serves smaller ones, to the last buffer.
    std::size_t small = 0;
    while (arena.fits(mebibyte)) {
        BOOST_TEST_REQUIRE(arena.allocate(mebibyte) != nullptr);
        ++small;
    }
    BOOST_TEST(arena.allocate(mebibyte) == nullptr);
    BOOST_TEST(small == 5U);
    BOOST_TEST(arena.statistics().mapped_bytes == 35 * mebibyte);

    // A segment that has become free serves any size.
    arena.release(taken[0], size);
    BOOST_TEST(arena.allocate(size) == taken[0]);
    arena.release(taken[0], size);
    std::byte* const other = arena.allocate(4 * mebibyte);
    BOOST_TEST(other == taken[0]);
    BOOST_TEST(arena.allocate(size) == nullptr);
    arena.release(other, 4 * mebibyte);
    BOOST_TEST(arena.allocate(size) == taken[0]);
    BOOST_TEST(arena.statistics().mapped_bytes == 35 * mebibyte);
}

BOOST_AUTO_TEST_CASE(a_budget_below_one_segment) {
    buffer_arena arena({256 * 1024});
    for (int i = 0; i < 4; ++i) {
        BOOST_TEST(arena.allocate(65536) != nullptr);
    }
    BOOST_TEST(arena.allocate(65536) == nullptr);
    BOOST_TEST(arena.allocate(mebibyte) == nullptr);
    buffer_arena none({0});
    BOOST_TEST(none.allocate(1) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_budget_of_terabytes_costs_nothing_at_first) {
    buffer_arena arena({std::uint64_t{64} << 40, true, true});
    BOOST_TEST(arena.statistics().mapped_bytes == 0U);
    std::byte* const memory = arena.allocate(10 * mebibyte);
    if (memory != nullptr) {
        // At most 8192 segments of at most 1 GiB.
        BOOST_TEST(arena.statistics().mapped_bytes <= std::uint64_t{1} << 30);
        BOOST_TEST(arena.statistics().mapped_bytes > 900 * mebibyte);
    }
}

BOOST_AUTO_TEST_CASE(addresses_lead_to_registered_buffers) {
    recording_backend through;
    buffer_arena arena({64 * mebibyte});
    std::byte* const early = arena.allocate(2 * mebibyte);
    BOOST_TEST(arena.buffer_index(early) == -1);
    arena.attach(through);
    std::vector<std::byte*> taken{early};
    for (int i = 0; i < 10; ++i) {
        taken.push_back(arena.allocate(2 * mebibyte));
    }
    prepare_mapped(arena);
    for (std::byte* const memory : taken) {
        for (std::byte* const within : {memory, memory + 12345, memory + 2 * mebibyte - 1}) {
            const int index = arena.buffer_index(within);
            BOOST_TEST_REQUIRE(index >= 0);
            const auto& span = through.registered.at(static_cast<unsigned>(index));
            BOOST_TEST((span.data() <= within && within < span.data() + span.size()));
        }
    }
    std::byte elsewhere{};
    BOOST_TEST(arena.buffer_index(&elsewhere) == -1);
    BOOST_TEST(arena.buffer_index(nullptr) == -1);
    BOOST_TEST(arena.statistics().registered_bytes == arena.statistics().mapped_bytes);

    // A read must not cross from one registered buffer to another.
    std::byte* const large = arena.allocate(5 * mebibyte);
    BOOST_TEST_REQUIRE(large != nullptr);
    prepare_mapped(arena);
    for (std::size_t at = 0; at < 5 * mebibyte; at += mebibyte)
        BOOST_TEST(arena.buffer_index(large + at) == -1);
    arena.release(large, 5 * mebibyte);
    std::byte* const later = arena.allocate(2 * mebibyte);
    BOOST_TEST(arena.buffer_index(later) >= 0);
    BOOST_TEST(through.registered.size() == arena.statistics().segments);
    BOOST_TEST(through.well);

    arena.detach();
    BOOST_TEST(arena.buffer_index(later) == -1);
    BOOST_TEST(arena.statistics().registered_bytes == 0U);
    std::memset(later, 1, 4096);
    arena.release(later, 2 * mebibyte);
}

BOOST_AUTO_TEST_CASE(a_refused_registration_is_tried_no_more) {
    recording_backend through;
    through.most = 2;
    buffer_arena arena({.budget = 64 * mebibyte, .segment_bytes = 4 * mebibyte});
    arena.attach(through);
    std::vector<std::byte*> taken;
    for (int i = 0; i < 10; ++i) {
        taken.push_back(arena.allocate(4 * mebibyte));
        BOOST_TEST_REQUIRE(taken.back() != nullptr);
    }
    prepare_mapped(arena);
    BOOST_TEST(through.calls == 3U);
    BOOST_TEST(arena.statistics().registration_failures == 1U);
    BOOST_TEST(arena.statistics().registered_bytes == 8 * mebibyte);
    BOOST_TEST(arena.buffer_index(taken[1]) == 1);
    BOOST_TEST(arena.buffer_index(taken[2]) == -1);
    arena.detach();

    recording_backend unused;
    buffer_arena unregistered({64 * mebibyte, true, false});
    unregistered.attach(unused);
    BOOST_TEST(unregistered.allocate(mebibyte) != nullptr);
    BOOST_TEST(!unregistered.unprepared());
    BOOST_TEST(unused.calls == 0U);
    unregistered.detach();
}

BOOST_AUTO_TEST_CASE(what_no_ring_registers_is_served_too) {
    constexpr std::size_t size = 1024 * mebibyte + 4096;
    recording_backend through;
    buffer_arena arena({.budget = 3 * size, .segment_bytes = size});
    arena.attach(through);
    std::byte* const large = arena.allocate(size);
    BOOST_TEST_REQUIRE(large != nullptr);
    prepare_mapped(arena);
    BOOST_TEST(arena.buffer_index(large) == -1);
    BOOST_TEST(through.calls == 0U);
    large[size - 1] = std::byte{1};
    arena.release(large, size);
    arena.detach();
}

BOOST_AUTO_TEST_CASE(where_a_number_cannot_be_cleared_none_is_used_again) {
    recording_backend through;
    buffer_arena arena({.budget = 8 * mebibyte, .huge_pages = false});
    arena.attach(through);
    std::array<std::byte*, 4> taken{};
    for (std::byte*& memory : taken) memory = arena.allocate(2 * mebibyte);
    prepare_mapped(arena);
    arena.release(taken[3], 2 * mebibyte);
    through.keeps = true;
    arena.set_budget(6 * mebibyte);
    BOOST_TEST(arena.statistics().registered_bytes == 6 * mebibyte);
    arena.set_budget(8 * mebibyte);
    std::byte* const again = arena.allocate(2 * mebibyte);
    BOOST_TEST_REQUIRE(again != nullptr);
    prepare_mapped(arena);
    BOOST_TEST(arena.buffer_index(again) == -1);
    BOOST_TEST(arena.buffer_index(taken[0]) == 0);
    BOOST_TEST(through.calls == 5U);
    BOOST_TEST(arena.statistics().registration_failures == 0U);
    arena.detach();
}

BOOST_AUTO_TEST_CASE(memory_outlives_its_thread_and_backend) {
    auto arena = std::make_unique<buffer_arena>(arena_options{16 * mebibyte});
    std::byte* memory = nullptr;
    std::thread shard([&] {
        const auto through = make<uring_kind>();
        if (through) {
            arena->attach(*through);
        }
        memory = arena->allocate(2 * mebibyte);
        memory[5] = std::byte{7};
        if (through) {
            arena->detach();
        }
    });
    shard.join();
    BOOST_TEST((memory[5] == std::byte{7}));
    std::thread([&] { arena.reset(); }).join();
}

BOOST_AUTO_TEST_SUITE_END()
