// How much memory the ghosts take, of a shard with very many chunks.
#include "policy/ghost_curve.hpp"

#include <boost/test/unit_test.hpp>

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

BOOST_AUTO_TEST_SUITE(ghost_memory_test)

using leat::cache_policy;
using leat::detail::ghost_curve;
using leat::detail::resident;

BOOST_AUTO_TEST_CASE(memory_is_bounded_whatever_comes) {
    constexpr std::uint64_t chunk_bytes = 1024 * 1024;
    constexpr std::size_t room = 20'000;
    std::vector<resident> chunks(room);
    const std::size_t before = mallinfo2().uordblks;
    ghost_curve curve{cache_policy::s3fifo_e, room * chunk_bytes, [](const resident&) noexcept {
                          return std::numeric_limits<std::int64_t>::min();
                      }};
    std::size_t usual = 0;
    std::size_t most = 0;
    for (std::uint64_t now = 1; now < 2'000'000; ++now) {
        resident& one = chunks[now % room];
        const auto stamp = static_cast<std::int64_t>(now);
        if (one.key != 0) curve.left(one, stamp);
        const std::uint64_t square = now * 0xd6e8feb86659fd93;
        one.key = square ^ (square >> 29);
        // Later they are smaller than the first.
        one.bytes = now < 1'000'000 ? chunk_bytes : chunk_bytes / 16;
        curve.loaded(one, stamp);
        if (now == 999'000) usual = most;
        if (now % 1000 == 0) most = std::max(most, mallinfo2().uordblks - before);
    }
    BOOST_TEST_MESSAGE(usual / 1024 << " KiB, and " << most / 1024 << " KiB with all sizes mixed");
    BOOST_TEST(curve.keys() > 1000u);
    BOOST_TEST(usual < 1600 * 1024u);
    BOOST_TEST(most < 1800 * 1024u);
}

BOOST_AUTO_TEST_SUITE_END()
