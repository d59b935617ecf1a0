// What is known of searches that were in vain.
#include "shard/vain_searches.hpp"

#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

BOOST_AUTO_TEST_SUITE(vain_searches_test)

using namespace leat;
using namespace leat::literals;
using leat::detail::vain_searches;

namespace {
constexpr std::uint64_t looks_of_seconds = 200'000'000;

/// It tells the time.
struct opened_shard {
    opened_shard() { owner.at(0).open(); }
    engine owner{test::small_engine(1, 8_MiB, 1_MiB)};
};

// As the kinds of buffers are: those of all size classes up to 1 GiB, each in four ways.
std::vector<std::uint64_t> all_kinds() {
    std::vector<std::uint64_t> kinds{0, 1, 2, 3};
    for (std::uint64_t doubling = 4096; doubling < (std::uint64_t{1} << 30); doubling *= 2) {
        for (std::uint64_t quarter = 4; quarter < 8; ++quarter) {
            const std::uint64_t bytes = doubling / 4 * quarter;
            if (bytes % 4096 != 0 || (doubling < 65536 && quarter != 4)) continue;
            for (std::uint64_t way = 0; way < 4; ++way) kinds.push_back(bytes + way);
        }
    }
    return kinds;
}
}  // namespace

BOOST_AUTO_TEST_CASE(of_dozens_of_kinds_none_is_forgotten_for_another) {
    opened_shard on;
    const shard& home = on.owner.at(0);
    const std::vector<std::uint64_t> kinds = all_kinds();
    vain_searches searches;
    std::vector<std::uint64_t> asked;  // two ways of each: more than occur at once
    for (std::size_t i = 0; i < kinds.size(); i += 2) asked.push_back(kinds[i]);
    BOOST_TEST(asked.size() > 100U);
    for (const std::uint64_t kind : asked) {
        BOOST_TEST(!searches.spare(kind, home));
        searches.failed(kind, looks_of_seconds, home, 7);
    }
    std::size_t spared = 0;
    for (const std::uint64_t kind : asked) spared += searches.spare(kind, home) ? 1 : 0;
    BOOST_TEST(spared == asked.size());
}

BOOST_AUTO_TEST_CASE(a_search_is_worth_repeating_when_room_has_come_since_it_was_begun) {
    opened_shard on;
    const shard& home = on.owner.at(0);
    vain_searches searches;
    BOOST_TEST(searches.worth_repeating(8192, 7));
    searches.failed(8192, looks_of_seconds, home, 7);
    BOOST_TEST(!searches.worth_repeating(8192, 7));
    BOOST_TEST(searches.worth_repeating(8192, 8));
    BOOST_TEST(searches.worth_repeating(4096, 7));
    BOOST_TEST((searches.until(8192) > home.now()));
}

BOOST_AUTO_TEST_CASE(one_that_looked_at_little_is_not_put_off) {
    opened_shard on;
    const shard& home = on.owner.at(0);
    vain_searches searches;
    searches.failed(8192, 100, home, 7);
    BOOST_TEST(!searches.spare(8192, home));
    BOOST_TEST(!searches.worth_repeating(8192, 7));
}

BOOST_AUTO_TEST_SUITE_END()
