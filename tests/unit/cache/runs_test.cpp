// What is read for misses that go on where others ended.
#include "shard/runs.hpp"

#include <leat/cache/detail/chunk_place.hpp>
#include <leat/engine/options.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

using namespace leat::literals;
using leat::detail::fragment_size;
using leat::detail::runs;

namespace {

/// Misses of one shard, in chunks of one size.
struct misses {
    explicit misses(std::uint64_t memory, std::uint64_t chunk = 10_MiB)
        : of(memory), chunk_size(chunk) {}

    [[nodiscard]] runs::miss at(std::uint64_t offset, std::uint64_t size) const {
        runs::miss one;
        one.file = file;
        one.index = offset / chunk_size;
        one.size = size;
        one.chunk_size = chunk_size;
        one.in = offset % chunk_size;
        return one;
    }
    std::uint64_t miss(std::uint64_t offset, std::uint64_t size = 4_KiB) {
        return of.window(at(offset, size));
    }
    std::uint64_t known(std::uint64_t offset, std::uint64_t size, std::uint64_t to_come) {
        runs::miss one = at(offset, size);
        one.known = to_come;
        return of.window(one);
    }
    std::uint64_t stream(std::uint64_t offset, std::uint64_t size = 4_KiB) {
        runs::miss one = at(offset, size);
        one.stream = true;
        return of.window(one);
    }
    /// Misses each time where what was read ends, `times`; returns where the next would be.
    std::uint64_t read_on(std::uint64_t offset, unsigned times) {
        for (unsigned i = 0; i < times; ++i) offset = next_of(offset, miss(offset));
        return offset;
    }
    /// Of a miss that is alone the fragment is not read, but its run goes on behind it.
    static std::uint64_t next_of(std::uint64_t offset, std::uint64_t window) {
        return (offset + window + fragment_size - 1) / fragment_size * fragment_size;
    }

    runs of;
    std::uint64_t chunk_size;
    std::uint64_t file = 1;
};

}  // namespace

BOOST_AUTO_TEST_CASE(alone_a_miss_brings_what_was_asked_for) {
    misses some{1_GiB};
    for (std::uint64_t i = 0; i < 1000; ++i) {
        const std::uint64_t offset = i * 5_MiB + i % 16 * 4_KiB;
        BOOST_TEST(some.miss(offset, 4_KiB) == 4_KiB);
    }
    BOOST_TEST(some.miss(9_GiB, 1) == 1u);
    BOOST_TEST(some.miss(10_GiB + 60_KiB, 100_KiB) == 100_KiB);
}

BOOST_AUTO_TEST_CASE(one_that_goes_on_in_its_fragment_or_in_the_next_brings_the_rest_of_it) {
    misses some{1_GiB};
    BOOST_TEST(some.miss(0) == 4_KiB);
    BOOST_TEST(some.miss(8_KiB) == 56_KiB);
    BOOST_TEST(some.miss(64_KiB) == 64_KiB);
    BOOST_TEST(some.miss(128_KiB + 4_KiB + 100, 8_KiB) == 60_KiB - 100);
    // To the end of the last fragment that it touches.
    BOOST_TEST(some.miss(192_KiB - 100, 200) == 64_KiB + 100);
}

BOOST_AUTO_TEST_CASE(one_that_leaves_a_fragment_out_or_goes_back_is_alone) {
    misses some{1_GiB};
    some.miss(640_KiB);
    BOOST_TEST(some.miss(768_KiB) == 4_KiB);
    BOOST_TEST(some.miss(576_KiB) == 4_KiB);
}

BOOST_AUTO_TEST_CASE(runs_of_different_files_are_told_apart) {
    misses some{1_GiB};
    some.miss(0);
    some.file = 2;
    BOOST_TEST(some.miss(64_KiB) == 4_KiB);
    some.file = 1;
    BOOST_TEST(some.miss(64_KiB) == 64_KiB);
}

BOOST_AUTO_TEST_CASE(four_fragments_make_a_stream_that_begins_with_a_quarter_of_a_MiB) {
    misses some{1_GiB};
    BOOST_TEST(some.miss(0) == 4_KiB);
    BOOST_TEST(some.miss(64_KiB) == 64_KiB);
    BOOST_TEST(some.miss(128_KiB) == 64_KiB);
    BOOST_TEST(some.of.streams() == 0u);
    BOOST_TEST(some.miss(192_KiB) == 256_KiB);
    BOOST_TEST(some.of.streams() == 1u);
    BOOST_TEST(some.miss(448_KiB + 4_KiB) == 252_KiB);
    BOOST_TEST(some.of.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(misses_in_one_fragment_make_no_stream_however_many) {
    misses some{1_GiB};
    some.miss(0);
    for (int i = 0; i < 100; ++i) BOOST_TEST(some.miss(4_KiB) == 60_KiB);
    BOOST_TEST(some.of.streams() == 0u);
}

BOOST_AUTO_TEST_CASE(a_stream_reads_more_and_more_but_never_more_than_half_of_what_it_has_read) {
    misses some{8_GiB, 1_GiB};
    std::uint64_t offset = some.read_on(0, 3);
    std::uint64_t before = 0;
    unsigned count = 0;
    while (offset < 256_MiB) {
        const std::uint64_t window = some.miss(offset);
        BOOST_TEST(window >= before);
        BOOST_TEST(window <= std::max<std::uint64_t>(256_KiB, offset / 2 + fragment_size));
        before = window;
        offset += window;
        ++count;
    }
    BOOST_TEST(before >= 64_MiB);
    BOOST_TEST(count < 30u);
}

BOOST_AUTO_TEST_CASE(a_window_ends_with_its_chunk_and_the_next_goes_on) {
    misses some{1_GiB, 1_MiB};
    std::uint64_t offset = some.read_on(0, 3);
    bool met = false;
    while (offset < 64_MiB) {
        const std::uint64_t window = some.miss(offset);
        BOOST_TEST(offset % 1_MiB + window <= 1_MiB);
        met = met || (offset % 1_MiB == 0 && window == 1_MiB);
        offset += window;
    }
    // From the start of a chunk on all of it.
    BOOST_TEST(met);
    BOOST_TEST(some.miss(offset) == 1_MiB);
    BOOST_TEST(some.of.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(a_request_that_is_larger_than_the_window_is_read_as_it_is) {
    misses some{1_GiB};
    const std::uint64_t offset = some.read_on(0, 4);
    BOOST_TEST(some.miss(offset, 1_MiB) == 1_MiB);
    BOOST_TEST(some.miss(5_GiB, 700_KiB) == 700_KiB);
}

BOOST_AUTO_TEST_CASE(who_says_that_it_is_a_stream_is_one_at_once) {
    misses some{1_GiB};
    BOOST_TEST(some.stream(8_KiB) == 248_KiB);
    BOOST_TEST(some.of.streams() == 1u);
    BOOST_TEST(some.miss(256_KiB) == 256_KiB);
    BOOST_TEST(some.of.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(half_of_the_memory_is_divided_by_the_streams_and_one_more) {
    misses some{64_MiB};
    BOOST_TEST(some.of.share() == 32_MiB);
    for (std::uint64_t i = 0; i < 15; ++i) some.stream(i * 1_GiB);
    BOOST_TEST(some.of.streams() == 15u);
    BOOST_TEST(some.of.share() == 2_MiB);
}

BOOST_AUTO_TEST_CASE(no_window_exceeds_the_share_and_no_share_is_less_than_a_fragment) {
    misses some{16_MiB};
    std::vector<std::uint64_t> offsets;
    for (std::uint64_t i = 0; i < 50; ++i) offsets.push_back(i * 1_GiB);
    for (std::uint64_t& offset : offsets) offset += some.stream(offset);
    for (int round = 0; round < 5; ++round) {
        for (std::uint64_t& offset : offsets) {
            const std::uint64_t before = some.of.share();
            const std::uint64_t window = some.miss(offset);
            // Its own place among the streams may have been forgotten.
            BOOST_TEST(window <= std::max(before, 16_MiB / 2 / some.of.streams()));
            BOOST_TEST(window >= fragment_size);
            offset += window;
        }
    }
    misses tiny{1_MiB};
    for (std::uint64_t i = 1; i < 9; ++i) tiny.stream(i * 1_GiB);
    BOOST_TEST(tiny.of.share() == fragment_size);
    BOOST_TEST(tiny.stream(0) <= fragment_size);
    BOOST_TEST(tiny.stream(64_KiB) == fragment_size);
}

BOOST_AUTO_TEST_CASE(
    streams_that_have_ended_count_no_more_once_others_have_read_as_much_as_the_memory) {
    misses some{64_MiB};
    for (std::uint64_t i = 0; i < 10; ++i) some.stream(i * 1_GiB);
    BOOST_TEST(some.of.streams() == 10u);
    // Others, each alone.
    std::uint64_t read = 0;
    for (std::uint64_t i = 0; read < 32_MiB; ++i) {
        some.miss((100 + i) * 1_GiB, 64_KiB);
        read += 64_KiB;
    }
    BOOST_TEST(some.of.streams() == 10u);
    for (std::uint64_t i = 0; read < 64_MiB + 10 * 256_KiB; ++i) {
        some.miss((10'000 + i) * 1_GiB, 64_KiB);
        read += 64_KiB;
    }
    BOOST_TEST(some.of.streams() < 10u);
    some.miss(1_GiB * 100'000, 64_KiB);
    BOOST_TEST(some.of.streams() == 0u);
    BOOST_TEST(some.of.share() == 32_MiB);
    // Their runs are known for longer, and count again when they go on.
    BOOST_TEST(some.miss(256_KiB) > 64_KiB);
    BOOST_TEST(some.of.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(the_last_4096_runs_are_known_and_the_one_unused_for_the_longest_is_forgotten) {
    for (const std::uint64_t memory : {1_MiB, 64_GiB}) {
        misses some{memory};
        constexpr std::uint64_t count = 4096;
        for (std::uint64_t i = 0; i < count; ++i) some.miss(i * 1_GiB);
        // The first goes on, so the second is the oldest.
        BOOST_TEST(some.miss(64_KiB) == 64_KiB);
        some.miss(count * 1_GiB);
        BOOST_TEST(some.miss(2 * 1_GiB + 64_KiB) == 64_KiB);
        BOOST_TEST(some.miss(128_KiB) == 64_KiB);
        BOOST_TEST(some.miss((count - 1) * 1_GiB + 64_KiB) == 64_KiB);
        BOOST_TEST(some.miss(1_GiB + 64_KiB) == 4_KiB);
    }
}

BOOST_AUTO_TEST_CASE(what_is_known_to_come_is_read_as_far_as_the_share_and_the_chunk_reach) {
    misses some{1_GiB};
    BOOST_TEST(some.known(4_KiB, 4_KiB, 1_MiB) == 1_MiB + 60_KiB);
    BOOST_TEST(some.known(30_MiB + 4_KiB, 4_KiB, 60_KiB) == 60_KiB);
    BOOST_TEST(some.known(9_MiB, 64_KiB, 5_MiB) == 1_MiB);
    BOOST_TEST(some.known(20_MiB, 64_KiB, 10_MiB) == 10_MiB);
    BOOST_TEST(some.of.streams() == 0u);
    for (std::uint64_t i = 1; i < 1024; ++i) some.stream(i * 1_GiB);
    BOOST_TEST(some.of.share() == 512_KiB);
    BOOST_TEST(some.known(4_KiB, 4_KiB, 10_MiB - 4_KiB) == 508_KiB);
    BOOST_TEST(some.known(0, 1_MiB, 10_MiB) == 1_MiB);
}

BOOST_AUTO_TEST_CASE(behind_what_was_known_to_come_a_run_goes_on) {
    misses some{1_GiB};
    some.known(0, 4_KiB, 128_KiB);
    BOOST_TEST(some.miss(128_KiB) == 64_KiB);
    // By larger and larger reads, as if they had been asked for piece by piece.
    for (std::uint64_t at = 192_KiB; at < 1_MiB; at += 128_KiB) {
        const std::uint64_t window = some.known(at, 64_KiB, 128_KiB);
        BOOST_TEST(window >= 128_KiB);
    }
    BOOST_TEST(some.of.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(a_miss_inside_what_was_to_be_read_has_the_rest_of_that_and_is_no_other_run) {
    misses some{1_GiB};
    std::uint64_t offset = some.read_on(0, 3);
    const std::uint64_t window = some.miss(offset);
    for (std::uint64_t in = 0; in < window; in += 16_KiB)
        BOOST_TEST(some.miss(offset + in, 16_KiB) == window - in);
    BOOST_TEST(some.of.streams() == 1u);
    // And behind it goes on.
    BOOST_TEST(some.miss(offset + window) >= window);
    BOOST_TEST(some.of.streams() == 1u);
}

BOOST_AUTO_TEST_CASE(records_that_cross_a_fragment_are_no_streams) {
    misses some{1_GiB};
    for (std::uint64_t i = 0; i < 1000; ++i)
        BOOST_TEST(some.miss(i * 10_MiB + 60_KiB, 8_KiB) == 8_KiB);
    BOOST_TEST(some.of.streams() == 0u);
    BOOST_TEST(some.of.share() == 512_MiB);
}
