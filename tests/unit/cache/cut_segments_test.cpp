// Whole chunks where entries of small pieces have made the budget smaller, and segments with it.
#include "fragments.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <ostream>
#include <vector>

BOOST_AUTO_TEST_SUITE(cut_segments_test)

using namespace leat;
using namespace leat::literals;
using leat::test::fragments;

namespace {

struct shape {
    std::uint64_t chunk_size;
    std::uint64_t memory;
};
std::ostream& operator<<(std::ostream& to, const shape& one) {
    return to << "chunks of " << one.chunk_size << " in " << one.memory;
}

const std::vector<shape> shapes{
    {1_MiB, 4_MiB},  // in segments that are one chunk long
    {1_MiB, 3_MiB},   {1_MiB, 5_MiB},   {1_MiB, 16_MiB},  {2_MiB, 4_MiB + 128_KiB}, {4_MiB, 9_MiB},
    {4_MiB, 15_MiB},  {10_MiB, 25_MiB}, {10_MiB, 33_MiB}, {2_MiB, 8_MiB},           {3_MiB, 13_MiB},
    {10_MiB, 40_MiB}, {10_MiB, 60_MiB}, {10_MiB, 96_MiB}, {3_MiB, 24_MiB},
};

/// Pieces of one size, each beside nothing else.
task<bool> fill_with_pieces(const chunk_manager& manager, chunk_config next, std::uint64_t count) {
    bool right = true;
    for (std::uint64_t n = 0; n < count; ++n) {
        const slice got = co_await manager.get_chunk(next);
        right = right && test::is_pattern(got.bytes(), 1, next.offset);
        next.offset += 128_KiB;
    }
    co_return right;
}

}  // namespace

// Pieces of two sizes share the memory, so that the budget shrinks at the cost of one segment now,
// of another then.
BOOST_DATA_TEST_CASE(a_whole_chunk_is_served_at_once_where_nothing_is_pinned, shapes) {
    constexpr std::uint64_t chunks = 8192;
    // The last chunk is three quarters as long as others.
    const std::uint64_t end = chunks * sample.chunk_size + sample.chunk_size * 3 / 4;
    fragments of{end, sample.memory, sample.chunk_size};
    std::uint64_t piece = 0;
    const auto fill = [&](std::uint64_t bytes, std::uint64_t memory) {
        const std::uint64_t count = memory / bytes;
        const chunk_config first = of.at(piece * 128_KiB, bytes);
        piece += count;
        return of.owner.run(fill_with_pieces(of.manager, first, count));
    };
    const auto whole_at_once = [&](std::uint64_t chunk) {
        const std::uint64_t at = chunk * sample.chunk_size;
        const std::uint64_t size = std::min(sample.chunk_size, end - at);
        return of.owner.run(test::code_of(of.manager, of.at(at, size, hint::no_wait)));
    };
    for (std::uint64_t round = 0; round < 6; ++round) {
        BOOST_TEST(fill(64_KiB, 2 * sample.memory));
        for (int part = 0; part < 12; ++part) {
            BOOST_TEST(fill(4_KiB, sample.memory / 16));
            BOOST_TEST(fill(64_KiB, sample.memory / 16));
        }
        BOOST_TEST(!whole_at_once(chunks - 1 - round));
        const cache_statistics now = of.sum();
        // Where there is room for two chunks only, entries have some all the same.
        const std::uint64_t due = sample.memory < 3 * sample.chunk_size ? 256_KiB : 0;
        BOOST_TEST(now.cached_bytes + now.entry_bytes <= of.owner.memory() + due);
        if (round % 3 == 2) BOOST_TEST(!whole_at_once(chunks));
    }
}

BOOST_AUTO_TEST_SUITE_END()
