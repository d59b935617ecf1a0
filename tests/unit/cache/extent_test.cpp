// What of a chunk is kept for a request.
#include "shard/extent.hpp"

#include "cache_support.hpp"
#include "shard/chunk.hpp"
#include "small_engine.hpp"

#include <leat/cache/detail/manager_access.hpp>
#include <leat/cache/detail/shared_cache.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <deque>
#include <utility>

// Pairs are not printed.
using range_of_bytes = std::pair<std::uint64_t, std::uint64_t>;
BOOST_TEST_DONT_PRINT_LOG_VALUE(range_of_bytes)

BOOST_AUTO_TEST_SUITE(extent_test)

using namespace leat;
using namespace leat::literals;
using leat::detail::chunk;
using leat::detail::chunk_request;
using leat::detail::extent;
using leat::detail::piece_number;

namespace {

/// Requests for a file of a manager, of which nothing is read.
struct requests {
    explicit requests(std::uint64_t file_size,
                      std::uint64_t chunk_size = 10_MiB,
                      std::uint64_t grain = unit_size)
        : owner(test::small_engine(1, 2 * chunk_size, chunk_size)),
          manager(owner, test::scripted_source{test::script_of(file_size)}, {.grain = grain}) {
        from.size = file_size;
        from.manager = detail::manager_access::shared_core(manager);
    }
    [[nodiscard]] chunk_request& at(std::uint64_t offset, std::uint64_t size) {
        chunk_request& one = all.emplace_back();
        one.file = &from;
        one.index = offset / manager.chunk_size();
        one.in = offset % manager.chunk_size();
        one.size = static_cast<std::uint32_t>(size);
        return one;
    }
    /// Where it begins in the file, and how long it is.
    [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> kept_for(std::uint64_t offset,
                                                                   std::uint64_t size,
                                                                   std::uint64_t window = 0,
                                                                   const chunk* known = nullptr,
                                                                   bool walks = false) {
        chunk_request& one = at(offset, size);
        one.window = static_cast<std::uint32_t>(window);
        one.walks = walks;
        const extent made = fragment_for(one, known);
        BOOST_TEST((made.piece == piece_number::fragment({one.index, one.in})));
        BOOST_TEST(made.end() == made.start + made.length);
        return {one.index * manager.chunk_size() + made.start, made.length};
    }

    engine owner;
    chunk_manager manager;
    detail::file_record from;
    std::deque<chunk_request> all;
};

struct known_piece {
    known_piece(std::uint64_t start, std::uint64_t length) {
        one.start = static_cast<std::uint32_t>(start);
        one.length = static_cast<std::uint32_t>(length);
    }
    chunk one{unit_size};
};

using range = range_of_bytes;

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_kept_is_an_aligned_power_of_two_of_units_around_what_is_asked_for) {
    requests some{100_MiB};
    for (const std::uint64_t base : {0_KiB, 64_KiB, 9_MiB, 10_MiB, 30_MiB + 192_KiB}) {
        BOOST_TEST(some.kept_for(base, 1) == range(base, 4_KiB));
        BOOST_TEST(some.kept_for(base, 4_KiB) == range(base, 4_KiB));
        BOOST_TEST(some.kept_for(base + 4_KiB - 1, 1) == range(base, 4_KiB));
        BOOST_TEST(some.kept_for(base + 4_KiB - 1, 2) == range(base, 8_KiB));
        BOOST_TEST(some.kept_for(base + 4_KiB, 1) == range(base + 4_KiB, 4_KiB));
        BOOST_TEST(some.kept_for(base + 4_KiB, 4_KiB + 1) == range(base, 16_KiB));
        BOOST_TEST(some.kept_for(base + 8_KiB, 8_KiB) == range(base + 8_KiB, 8_KiB));
        BOOST_TEST(some.kept_for(base + 8_KiB, 12_KiB) == range(base, 32_KiB));
        BOOST_TEST(some.kept_for(base + 16_KiB - 1, 2) == range(base, 32_KiB));
        BOOST_TEST(some.kept_for(base + 32_KiB, 16_KiB + 1) == range(base + 32_KiB, 32_KiB));
        BOOST_TEST(some.kept_for(base + 32_KiB - 1, 2) == range(base, 64_KiB));
        BOOST_TEST(some.kept_for(base + 60_KiB, 4_KiB) == range(base + 60_KiB, 4_KiB));
        BOOST_TEST(some.kept_for(base, 64_KiB) == range(base, 64_KiB));
    }
}

BOOST_AUTO_TEST_CASE(at_every_border_it_has_all_and_is_no_larger_than_it_must_be) {
    requests some{10_MiB};
    for (std::uint64_t begin = 0; begin < 64_KiB; begin += 1024) {
        for (std::uint64_t size = 1024; begin + size <= 64_KiB; size += 1024) {
            const auto [start, length] = some.kept_for(begin, size);
            BOOST_REQUIRE(start <= begin && begin + size <= start + length);
            BOOST_REQUIRE(length >= 4_KiB && (length & (length - 1)) == 0);
            BOOST_REQUIRE(start % length == 0);
            const std::uint64_t half = length / 2;
            const bool fits_half = begin / half == (begin + size - 1) / half;
            BOOST_REQUIRE(length == 4_KiB || !fits_half);
        }
    }
}

BOOST_AUTO_TEST_CASE(it_ends_with_the_file) {
    for (const std::uint64_t size : {1_KiB, 4_KiB + 1, 60_KiB, 10_MiB + 1, 10_MiB + 33_KiB}) {
        requests some{size};
        const std::uint64_t last = (size - 1) / 4_KiB * 4_KiB;
        BOOST_TEST(some.kept_for(last, 1) == range(last, size - last));
        const std::uint64_t begin = (size - 1) / 64_KiB * 64_KiB;
        BOOST_TEST(some.kept_for(begin, 1, 64_KiB) == range(begin, size - begin));
        const chunk_request& one = some.at(size - 1, 1);
        BOOST_TEST(chunk_length(one) == size - one.index * 10_MiB);
        BOOST_TEST(whole_chunk(one).length == chunk_length(one));
    }
}

BOOST_AUTO_TEST_CASE(a_chunk_is_as_long_as_the_file_has_bytes_in_it) {
    requests some{20_MiB + 5};
    for (const std::uint64_t index : {0u, 1u, 2u}) {
        const extent whole = whole_chunk(some.at(index * 10_MiB, 1));
        BOOST_TEST(whole.start == 0u);
        BOOST_TEST(whole.length == (index == 2 ? 5 : 10_MiB));
        BOOST_TEST((whole.piece == piece_number::chunk(index)));
    }
}

BOOST_AUTO_TEST_CASE(who_goes_on_gets_the_whole_fragment) {
    requests some{10_MiB};
    BOOST_TEST(some.kept_for(72_KiB, 4_KiB, 56_KiB) == range(64_KiB, 64_KiB));
    BOOST_TEST(some.kept_for(72_KiB, 4_KiB, 4_KiB) == range(72_KiB, 4_KiB));
    BOOST_TEST(some.kept_for(72_KiB, 4_KiB, 0) == range(72_KiB, 4_KiB));
}

BOOST_AUTO_TEST_CASE(who_walks_gets_what_he_has_not_come_through) {
    requests some{10_MiB};
    BOOST_TEST(some.kept_for(64_KiB, 4_KiB, 64_KiB, nullptr, true) == range(64_KiB, 64_KiB));
    BOOST_TEST(some.kept_for(73_KiB, 10_KiB, 55_KiB, nullptr, true) == range(72_KiB, 56_KiB));
    BOOST_TEST(some.kept_for(124_KiB, 4_KiB, 200_KiB, nullptr, true) == range(124_KiB, 4_KiB));
    // One request has all that it is for.
    BOOST_TEST(some.kept_for(72_KiB, 4_KiB, 4_KiB, nullptr, true) == range(72_KiB, 4_KiB));
    // Where others have had some of it already it is not only his.
    const known_piece first{64_KiB, 4_KiB};
    BOOST_TEST(some.kept_for(72_KiB, 4_KiB, 56_KiB, &first.one, true) == range(64_KiB, 64_KiB));
    // Each request with the hint says so, too.
    chunk_request& stream = some.at(73_KiB, 10_KiB);
    stream.given = hint::stream;
    stream.window = static_cast<std::uint32_t>(55_KiB);
    BOOST_TEST(fragment_for(stream, nullptr).start == 72_KiB);
    BOOST_TEST(fragment_for(stream, nullptr).length == 56_KiB);
    BOOST_TEST(fragment_for(stream, nullptr, true).start == 64_KiB);
    BOOST_TEST(fragment_for(stream, &first.one).start == 64_KiB);
    requests coarse{10_MiB, 10_MiB, 32_KiB};
    BOOST_TEST(coarse.kept_for(72_KiB, 4_KiB, 56_KiB, nullptr, true) == range(64_KiB, 64_KiB));
    BOOST_TEST(coarse.kept_for(100_KiB, 4_KiB, 28_KiB, nullptr, true) == range(96_KiB, 32_KiB));
    requests brief{70_KiB};
    BOOST_TEST(brief.kept_for(68_KiB, 100, 2_KiB, nullptr, true) == range(68_KiB, 2_KiB));
}

BOOST_AUTO_TEST_CASE(where_readers_do_not_come_far_who_goes_on_gets_no_more_than_that) {
    requests some{10_MiB};
    const known_piece known{64_KiB, 8_KiB};
    const auto kept = [&](std::uint64_t offset, std::uint64_t size, std::uint64_t window,
                          const chunk* before, bool whole, std::uint64_t reach) {
        chunk_request& one = some.at(offset, size);
        one.window = static_cast<std::uint32_t>(window);
        one.reach = reach;
        const extent made = fragment_for(one, before, whole);
        return range{made.start, made.length};
    };
    // Alone, where what is there ends, and without what he has come through.
    BOOST_TEST(kept(72_KiB, 4_KiB, 0, &known.one, false, 40_KiB) == range(72_KiB, 32_KiB));
    BOOST_TEST(kept(71_KiB, 4_KiB, 0, &known.one, false, 40_KiB) == range(68_KiB, 32_KiB));
    BOOST_TEST(kept(72_KiB, 4_KiB, 0, &known.one, false, 63_KiB) == range(72_KiB, 56_KiB));
    BOOST_TEST(kept(72_KiB, 4_KiB, 0, &known.one, false, 64_KiB) == range(64_KiB, 16_KiB));
    // At least as much again: so it shows how far he comes.
    BOOST_TEST(kept(72_KiB, 4_KiB, 0, &known.one, false, 4095) == range(72_KiB, 8_KiB));
    BOOST_TEST(kept(72_KiB, 16_KiB, 0, &known.one, false, 4_KiB) == range(72_KiB, 32_KiB));
    // A run, and who would have all since others want more of this file.
    BOOST_TEST(kept(64_KiB, 4_KiB, 64_KiB, nullptr, false, 20_KiB) == range(64_KiB, 16_KiB));
    BOOST_TEST(kept(72_KiB, 4_KiB, 0, nullptr, true, 20_KiB) == range(72_KiB, 16_KiB));
    // But not who does not go on there, nor whose window is larger.
    BOOST_TEST(kept(80_KiB, 4_KiB, 0, &known.one, false, 4_KiB) == range(64_KiB, 64_KiB));
    BOOST_TEST(kept(64_KiB, 4_KiB, 65_KiB, nullptr, false, 20_KiB) == range(64_KiB, 64_KiB));
    BOOST_TEST(kept(80_KiB, 4_KiB, 0, nullptr, false, 20_KiB) == range(80_KiB, 4_KiB));
}

BOOST_AUTO_TEST_CASE(it_is_known_how_far_it_is_to_the_end_of_what_a_reader_comes_through) {
    requests some{10_MiB};
    const known_piece known{64_KiB, 8_KiB};
    const auto to_come = [&](std::uint64_t offset, std::uint64_t window, const chunk* before,
                             bool ahead = false, bool quick = false) {
        chunk_request& one = some.at(offset, 4_KiB);
        one.window = static_cast<std::uint32_t>(window);
        one.asked_ahead = ahead;
        one.quick = quick;
        const extent made = fragment_for(one, before);
        BOOST_TEST(made.step == (made.to_come == 0 ? 0 : 1));
        return made.to_come;
    };
    BOOST_TEST(to_come(72_KiB, 0, &known.one) == 4_KiB);
    BOOST_TEST(to_come(70_KiB, 0, &known.one) == 6_KiB);
    BOOST_TEST(to_come(64_KiB, 200_KiB, nullptr) == 60_KiB);
    BOOST_TEST(to_come(124_KiB, 200_KiB, nullptr) == 0u);
    // It is not, of who may be anywhere.
    BOOST_TEST(to_come(72_KiB, 0, nullptr) == 0u);
    BOOST_TEST(to_come(80_KiB, 0, &known.one) == 0u);
    BOOST_TEST(to_come(64_KiB, 200_KiB, nullptr, true) == 0u);
    // Nor does it say anything of others, of who is quicker.
    BOOST_TEST(to_come(72_KiB, 0, &known.one, false, true) == 0u);
}

BOOST_AUTO_TEST_CASE(who_misses_in_a_fragment_that_is_there_makes_it_whole) {
    requests some{10_MiB};
    const known_piece first{64_KiB, 4_KiB};
    const known_piece middle{80_KiB, 16_KiB};
    const known_piece last{124_KiB, 4_KiB};
    for (const known_piece* known : {&first, &middle, &last})
        BOOST_TEST(some.kept_for(72_KiB, 100, 0, &known->one) == range(64_KiB, 64_KiB));
    requests brief{70_KiB};
    BOOST_TEST(brief.kept_for(68_KiB, 100, 0, &first.one) == range(64_KiB, 6_KiB));
}

BOOST_AUTO_TEST_CASE(who_crosses_into_other_fragments_gets_one_buffer_for_all_units_he_touches) {
    requests some{20_MiB};
    BOOST_TEST(some.kept_for(60_KiB, 8_KiB) == range(60_KiB, 8_KiB));
    BOOST_TEST(some.kept_for(64_KiB - 1, 2) == range(60_KiB, 8_KiB));
    BOOST_TEST(some.kept_for(8_KiB + 5, 100_KiB) == range(8_KiB, 104_KiB));
    BOOST_TEST(some.kept_for(10_MiB + 100, 1_MiB) == range(10_MiB, 1_MiB + 4_KiB));
    BOOST_TEST(some.kept_for(10_MiB - 68_KiB, 68_KiB) == range(10_MiB - 68_KiB, 68_KiB));
    requests brief{65_KiB};
    BOOST_TEST(brief.kept_for(60_KiB, 5_KiB) == range(60_KiB, 5_KiB));
}

BOOST_AUTO_TEST_CASE(what_is_there_of_the_first_fragment_stays_a_part_of_what_crosses) {
    requests some{10_MiB};
    const known_piece start{0, 4_KiB};
    BOOST_TEST(some.kept_for(60_KiB, 8_KiB, 0, &start.one) == range(0, 68_KiB));
    const known_piece crossing{60_KiB, 12_KiB};
    BOOST_TEST(some.kept_for(32_KiB, 34_KiB, 0, &crossing.one) == range(32_KiB, 40_KiB));
    BOOST_TEST(some.kept_for(32_KiB, 80_KiB, 0, &crossing.one) == range(32_KiB, 80_KiB));
    // And of a fragment: to where it ends.
    BOOST_TEST(some.kept_for(0, 100, 0, &crossing.one) == range(0, 72_KiB));
}

BOOST_AUTO_TEST_CASE(nothing_less_than_the_grain_is_kept_but_never_more_than_a_fragment_for_it) {
    for (const std::uint64_t grain : {4_KiB, 8_KiB, 32_KiB, 64_KiB, 128_KiB, 1_MiB}) {
        requests some{10_MiB, 2_MiB, grain};
        const std::uint64_t least = std::min(grain, 64_KiB);
        BOOST_TEST(some.kept_for(64_KiB, 1) == range(64_KiB, least));
        BOOST_TEST(some.kept_for(128_KiB - 1, 1) == range(128_KiB - least, least));
        BOOST_TEST(some.kept_for(128_KiB - 1, 2) == range(128_KiB - least, 2 * least));
    }
}

BOOST_AUTO_TEST_CASE(large_requests_need_their_whole_chunk) {
    requests some{100_MiB, 32_MiB};
    BOOST_TEST(!needs_whole_chunk(some.at(0, 2_MiB)));
    BOOST_TEST(needs_whole_chunk(some.at(0, 2_MiB + 1)));
    requests smaller{100_MiB, 10_MiB};
    BOOST_TEST(!needs_whole_chunk(smaller.at(0, 1_MiB)));
    BOOST_TEST(needs_whole_chunk(smaller.at(0, 1_MiB + 1)));
    requests small{100_MiB, 512_KiB};
    BOOST_TEST(needs_whole_chunk(small.at(0, 512_KiB)));  // all of it
}

BOOST_AUTO_TEST_CASE(a_source_that_reads_no_less_than_a_chunk_needs_whole_ones) {
    for (const std::uint64_t grain : {64_KiB, 512_KiB, 1_MiB, 4_MiB}) {
        requests some{10_MiB, 1_MiB, grain};
        BOOST_TEST(needs_whole_chunk(some.at(0, 1)) == (grain >= 1_MiB));
        BOOST_TEST(wants_whole_chunk(some.at(0, 1)) == (grain >= 1_MiB));
    }
}

BOOST_AUTO_TEST_CASE(a_window_of_a_chunk_or_more_wants_it_whole_and_needs_nothing) {
    requests some{100_MiB};
    chunk_request& one = some.at(10_MiB, 64_KiB);
    one.window = static_cast<std::uint32_t>(10_MiB - 1);
    BOOST_TEST(!wants_whole_chunk(one));
    one.window = static_cast<std::uint32_t>(10_MiB);
    BOOST_TEST(wants_whole_chunk(one));
    BOOST_TEST(!needs_whole_chunk(one));
    one.size = static_cast<std::uint32_t>(1_MiB + 1);
    one.window = 0;
    BOOST_TEST(wants_whole_chunk(one));
}

BOOST_AUTO_TEST_CASE(who_comes_back_where_the_piece_ends_has_as_much_again) {
    requests some{10_MiB + 20_KiB};
    for (const std::uint64_t there : {4_KiB, 8_KiB, 16_KiB, 32_KiB}) {
        const known_piece known{1_MiB, there};
        const range twice{1_MiB, 2 * there};
        const range whole{1_MiB, 64_KiB};
        BOOST_TEST(some.kept_for(1_MiB + there, 4_KiB, 0, &known.one) == twice);
        BOOST_TEST(some.kept_for(1_MiB + there, 1, 0, &known.one) == twice);
        // He may have had a little of it.
        BOOST_TEST(some.kept_for(1_MiB + there - 1, 4_KiB, 0, &known.one) == twice);
        // One that comes elsewhere says that all is wanted.
        if (there < 32_KiB) BOOST_TEST(some.kept_for(1_MiB + 2 * there, 1, 0, &known.one) == whole);
        // And so does one of whom more is known.
        BOOST_TEST(some.kept_for(1_MiB + there, 4_KiB, 64_KiB - there, &known.one) == whole);
    }
    const known_piece amid{1_MiB + 8_KiB, 4_KiB};
    BOOST_TEST(some.kept_for(1_MiB + 12_KiB, 4_KiB, 0, &amid.one) == range(1_MiB + 8_KiB, 8_KiB));
    BOOST_TEST(some.kept_for(1_MiB + 12_KiB, 12_KiB, 0, &amid.one) == range(1_MiB, 32_KiB));
    BOOST_TEST(some.kept_for(1_MiB + 4_KiB, 4_KiB, 0, &amid.one) == range(1_MiB, 64_KiB));
    const known_piece last{0, 16_KiB};
    BOOST_TEST(some.kept_for(10_MiB + 16_KiB, 4_KiB, 0, &last.one) == range(10_MiB, 20_KiB));
}

BOOST_AUTO_TEST_SUITE_END()
