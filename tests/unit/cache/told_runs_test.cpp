// Requests that say how much they want, as those of read() do.
#include "shard/runs.hpp"

#include <leat/engine/options.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>

BOOST_AUTO_TEST_SUITE(told_runs_test)

using namespace leat::literals;
using leat::detail::fragment_size;
using leat::detail::runs;

namespace {

/// The window of a miss at `offset` of whose reader it is known that he wants `told` bytes.
std::uint64_t miss(runs& of, std::uint64_t offset, std::uint64_t told) {
    runs::miss one;
    one.file = 1;
    one.index = offset / 10_MiB;
    one.in = offset % 10_MiB;
    one.size = std::min<std::uint64_t>(told, 64_KiB);
    one.stretch = one.chunk = 10_MiB;
    one.known = told;
    return of.window(one);
}

/// Misses until all that was told is read; the largest end.
std::uint64_t read(runs& of, std::uint64_t offset, std::uint64_t told) {
    const std::uint64_t end = offset + told;
    while (offset < end) offset += miss(of, offset, end - offset);
    return offset;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_read_for_a_lone_request_ends_where_that_ends) {
    // As many that nothing fits the share of each as a whole if they count.
    runs some{100_MiB};
    for (std::uint64_t n = 0; n < 1000; ++n) {
        const std::uint64_t begin = n * 7 % 1000 * 20_MiB;
        BOOST_REQUIRE(miss(some, begin, 1_MiB) == 1_MiB);
        BOOST_REQUIRE(some.streams() == 0u);
    }
}

BOOST_AUTO_TEST_CASE(the_pieces_of_one_request_are_no_stream) {
    runs some{8_MiB};
    // With little memory it has several windows; none goes beyond what was told.
    for (std::uint64_t n = 0; n < 20; ++n) {
        const std::uint64_t begin = n * 3 % 20 * 20_MiB;
        BOOST_TEST(read(some, begin, 6_MiB) == begin + 6_MiB);
    }
}

BOOST_AUTO_TEST_CASE(requests_that_follow_each_other_are_a_stream) {
    runs some{1_GiB};
    std::uint64_t at = 0;
    unsigned requests = 0;
    for (; requests < 8; ++requests) {
        const std::uint64_t window = miss(some, at, 512_KiB);
        at += window;
        if (window > 512_KiB) break;
    }
    BOOST_TEST(requests == 3u);
    BOOST_TEST(some.streams() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
