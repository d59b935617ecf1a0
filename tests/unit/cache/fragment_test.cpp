// What is read for requests of a few bytes: fragments, which grow.
#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

BOOST_AUTO_TEST_SUITE(fragment_test)

using namespace leat;
using namespace leat::literals;
using leat::test::extent_reads;
using leat::test::fragments;
using leat::test::is_pattern;

namespace {
constexpr auto per_element = boost::test_tools::per_element();
}

BOOST_AUTO_TEST_CASE(a_miss_reads_the_unit_it_asks_for_and_no_more) {
    fragments of{10_MiB};
    BOOST_TEST(of.right(3_MiB + 20_KiB, 4_KiB));
    BOOST_TEST(of.right(5_MiB + 64_KiB - 100, 100));
    of.settle();
    const extent_reads expected{{3_MiB + 20_KiB, 4_KiB}, {5_MiB + 60_KiB, 4_KiB}};
    BOOST_TEST(of.reads() == expected, per_element);
    const cache_statistics sum = of.sum();
    BOOST_TEST(sum.reads == 2u);
    BOOST_TEST(sum.demand_reads == 2u);
    BOOST_TEST(sum.bytes_read == 8_KiB);
    BOOST_TEST(sum.misses == 2u);
    BOOST_TEST(sum.fills == 2u);
    BOOST_TEST(sum.chunks == 2u);
}

BOOST_AUTO_TEST_CASE(a_few_units_are_read_as_the_aligned_power_of_two_around_them) {
    fragments of{10_MiB};
    BOOST_TEST(of.right(8_KiB, 12_KiB));
    BOOST_TEST(of.reads() == (extent_reads{{0, 32_KiB}}), per_element);
    BOOST_TEST(of.right(1_MiB + 32_KiB, 8_KiB));
    BOOST_TEST(of.reads() == (extent_reads{{1_MiB + 32_KiB, 8_KiB}}), per_element);
    BOOST_TEST(of.right(2_MiB + 30_KiB, 4_KiB));
    BOOST_TEST(of.reads() == (extent_reads{{2_MiB, 64_KiB}}), per_element);
}

BOOST_AUTO_TEST_CASE(what_is_there_is_a_hit_and_nothing_is_read) {
    fragments of{10_MiB};
    BOOST_TEST(of.right(16_KiB, 16_KiB));
    (void)of.reads();
    const cache_statistics before = of.sum();
    for (std::uint64_t in = 16_KiB; in < 32_KiB; in += 1000) BOOST_TEST(of.right(in, 32_KiB - in));
    BOOST_TEST(of.reads().empty());
    BOOST_TEST(of.sum().misses == before.misses);
}

BOOST_AUTO_TEST_CASE(a_second_miss_in_a_fragment_reads_what_it_lacks_in_front_or_behind) {
    fragments of{10_MiB};
    BOOST_TEST(of.right(1_MiB, 4_KiB));
    (void)of.reads();
    BOOST_TEST(of.right(1_MiB + 40_KiB, 100));
    BOOST_TEST(of.reads() == (extent_reads{{1_MiB + 4_KiB, 60_KiB}}), per_element);
    BOOST_TEST(of.right(2_MiB + 56_KiB, 8_KiB));
    (void)of.reads();
    BOOST_TEST(of.right(2_MiB, 100));
    BOOST_TEST(of.reads() == (extent_reads{{2_MiB, 56_KiB}}), per_element);
    for (std::uint64_t in = 0; in < 64_KiB; in += 4_KiB) {
        BOOST_TEST(of.right(1_MiB + in, 4_KiB));
        BOOST_TEST(of.right(2_MiB + in, 4_KiB));
    }
    BOOST_TEST(of.reads().empty());
    BOOST_TEST(of.sum().chunks == 2u);
}

BOOST_AUTO_TEST_CASE(what_lies_amid_a_fragment_is_read_again_with_the_rest_by_one_read) {
    fragments of{10_MiB};
    BOOST_TEST(of.right(16_KiB, 16_KiB));
    (void)of.reads();
    BOOST_TEST(of.right(0, 100));
    BOOST_TEST(of.reads() == (extent_reads{{0, 64_KiB}}), per_element);
}

BOOST_AUTO_TEST_CASE(slices_of_a_fragment_that_grows_stay_as_they_are) {
    fragments of{10_MiB};
    for (const std::uint64_t in : {0_KiB, 16_KiB, 60_KiB}) {
        const std::uint64_t base = 1_MiB + in * 16;
        const slice before = of.get(base + in, 4_KiB);
        const std::byte* const where = before.data();
        BOOST_TEST(of.right(base + 32_KiB, 8_KiB));
        of.settle();
        BOOST_TEST(before.data() == where);
        BOOST_TEST(is_pattern(before.bytes(), 1, base + in));
        // What is asked for anew lies in the buffer that has all.
        const slice anew = of.get(base + in, 4_KiB);
        BOOST_TEST(anew.data() != where);
        const slice all = of.get(base, 64_KiB);
        BOOST_TEST(all.data() + in == anew.data());
        BOOST_TEST(is_pattern(all.bytes(), 1, base));
    }
    BOOST_TEST(of.sum().pins == 0u);
    BOOST_TEST(of.sum().chunks == 3u);
}

BOOST_AUTO_TEST_CASE(a_buffer_that_was_replaced_goes_with_its_last_slice) {
    fragments of{10_MiB};
    slice before = of.get(0, 4_KiB);
    slice share = of.get(0, 100);
    BOOST_TEST(of.right(8_KiB, 4_KiB));
    BOOST_TEST(of.sum().chunks == 2u);
    before = {};
    BOOST_TEST(of.sum().chunks == 2u);
    BOOST_TEST(is_pattern(share.bytes(), 1, 0));
    share = {};
    while (of.sum().chunks != 1) std::this_thread::yield();
    BOOST_TEST(of.right(0, 64_KiB));
}

BOOST_AUTO_TEST_CASE(a_request_across_fragments_gets_one_buffer_with_the_right_bytes) {
    fragments of{10_MiB};
    for (const std::uint64_t begin : {60_KiB, 64_KiB - 1, 100_KiB + 17}) {
        for (const std::uint64_t size : {8_KiB, 64_KiB + 1, 300_KiB, 600_KiB}) {
            const std::uint64_t base = begin + (size / 1024 % 8) * 1_MiB;
            const slice got = of.get(base, size);
            BOOST_TEST(got.size() == size);
            BOOST_TEST(is_pattern(got.bytes(), 1, base));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_request_across_fragments_reads_the_units_it_touches) {
    fragments of{10_MiB};
    BOOST_TEST(of.right(60_KiB + 100, 100_KiB));
    BOOST_TEST(of.reads() == (extent_reads{{60_KiB, 104_KiB}}), per_element);
    (void)of.sum();
    // What lies in it is there, whichever of its fragments one begins in.
    for (const std::uint64_t in : {60_KiB, 64_KiB, 100_KiB, 128_KiB, 160_KiB})
        BOOST_TEST(of.right(in, 4_KiB));
    BOOST_TEST(of.right(100_KiB, 60_KiB));
    BOOST_TEST(of.reads().empty());
    // In its first fragment the rest is read, and nothing twice.
    BOOST_TEST(of.right(0, 4_KiB));
    BOOST_TEST(of.reads() == (extent_reads{{0, 60_KiB}}), per_element);
    BOOST_TEST(of.right(0, 164_KiB));
    BOOST_TEST(of.reads().empty());
}

BOOST_AUTO_TEST_CASE(a_request_that_begins_where_a_fragment_is_there_keeps_that) {
    fragments of{10_MiB};
    BOOST_TEST(of.right(0, 64_KiB));
    (void)of.reads();
    BOOST_TEST(of.right(32_KiB, 64_KiB));
    BOOST_TEST(of.reads() == (extent_reads{{64_KiB, 32_KiB}}), per_element);
    BOOST_TEST(of.right(0, 96_KiB));
    BOOST_TEST(of.reads().empty());
}

BOOST_AUTO_TEST_CASE(files_of_any_length_are_read_to_their_end) {
    for (const std::uint64_t size : {1_KiB / 1024, 4095 * 1_KiB / 1024, 4_KiB, 4_KiB + 1,
                                     64_KiB - 1, 64_KiB + 1, 1_MiB + 1, 1_MiB + 64_KiB - 1}) {
        fragments of{size};
        BOOST_TEST(of.right(size - 1, 1));
        BOOST_TEST(of.right(0, 1));
        BOOST_TEST(of.right(0, std::min(size, 1_MiB)));
        BOOST_TEST(of.right(size / 2, std::min(size - size / 2, 1_MiB - size / 2 % 1_MiB)));
        BOOST_TEST(of.right(size - 1, 1));
        of.settle();
        for (const test::extent_read& one : of.reads()) BOOST_TEST(one.offset + one.size <= size);
        BOOST_TEST(of.source->bytes <= 2 * size);
        BOOST_TEST(of.code(size - 1, 2) == errc::out_of_range);
    }
}

BOOST_AUTO_TEST_CASE(a_grain_is_the_least_that_is_read) {
    for (const std::uint64_t grain : {16_KiB, 64_KiB, 256_KiB, 1_MiB}) {
        fragments of{10_MiB, 16_MiB, 1_MiB, 1, {.grain = grain}};
        BOOST_TEST(of.right(5_MiB + 40_KiB, 100));
        of.settle();
        std::uint64_t end = (5_MiB + 40_KiB) / grain * grain;
        for (const test::extent_read& one : of.reads()) {
            // A fragment after the other, but for a chunk.
            BOOST_TEST((one.offset == end || grain == 1_MiB));
            end += one.size;
        }
        BOOST_TEST(of.source->bytes == grain);
    }
}

BOOST_AUTO_TEST_CASE(bytes_at_random_places_are_right_whatever_was_asked_for_before) {
    fragments of{32_MiB, 64_MiB};
    std::uint64_t random = 1;
    const auto next = [&](std::uint64_t below) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        return (random >> 33) % below;
    };
    std::vector<std::pair<std::uint64_t, slice>> held;
    for (int i = 0; i < 3000; ++i) {
        const std::uint64_t offset = next(32_MiB);
        const std::uint64_t most = std::min(1_MiB - offset % 1_MiB, 1 + next(200_KiB));
        slice got = of.get(offset, 1 + next(most));
        BOOST_REQUIRE(is_pattern(got.bytes(), 1, offset));
        held.emplace_back(offset, std::move(got));
        if (held.size() > 8) held.erase(held.begin() + static_cast<std::ptrdiff_t>(next(8)));
    }
    for (const auto& [offset, one] : held) BOOST_TEST(is_pattern(one.bytes(), 1, offset));
    held.clear();
    BOOST_TEST(of.sum().pins == 0u);
}

BOOST_AUTO_TEST_CASE(fragments_take_no_more_memory_than_there_is) {
    // Room for two chunks of 1 MiB, and so for 32 fragments or so.
    fragments of{64_MiB, 2_MiB};
    for (std::uint64_t at = 0; at < 64_MiB; at += 128_KiB) BOOST_TEST(of.right(at, 4_KiB));
    BOOST_TEST(of.source->bytes == 512 * 4_KiB);
    for (std::uint64_t at = 0; at < 64_MiB; at += 128_KiB) BOOST_TEST(of.right(at, 40_KiB));
    const cache_statistics sum = of.sum();
    BOOST_TEST(sum.evictions > 0u);
    BOOST_TEST(sum.chunks <= 512u);
}

BOOST_AUTO_TEST_SUITE_END()
