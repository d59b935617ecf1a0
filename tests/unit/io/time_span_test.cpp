// Lengths of time that are too long, too short or none.
#include <leat/io/time_span.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <limits>

BOOST_AUTO_TEST_SUITE(time_span_test)

using leat::later;
using leat::time_span;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

static_assert(time_span{2s} == 2'000'000'000ns);
static_assert(time_span{} == 0s);
static_assert(time_span{1.5s}.nanoseconds() == 1500ms);
static_assert(time_span{-3h} < time_span{1ns});

BOOST_AUTO_TEST_CASE(what_is_too_long_is_no_limit) {
    BOOST_TEST(time_span{nanoseconds::max()}.unlimited());
    BOOST_TEST(time_span{std::chrono::microseconds::max()}.unlimited());
    BOOST_TEST(time_span{std::chrono::milliseconds::max()}.unlimited());
    BOOST_TEST(time_span{std::chrono::seconds::max()}.unlimited());
    BOOST_TEST(time_span{std::chrono::hours::max()}.unlimited());
    BOOST_TEST(time_span{24h * 365 * 300}.unlimited());
    BOOST_TEST(!time_span{24h * 365 * 292}.unlimited());
    using real = std::chrono::duration<double>;
    BOOST_TEST(time_span{real::max()}.unlimited());
    BOOST_TEST(time_span{real{std::numeric_limits<double>::infinity()}}.unlimited());
    BOOST_TEST((time_span::max() == std::chrono::minutes::max()));
}

BOOST_AUTO_TEST_CASE(what_is_too_far_below_zero_is_the_least) {
    for (const time_span least :
         {time_span{nanoseconds::min()}, time_span{std::chrono::hours::min()},
          time_span{std::chrono::seconds::min()},
          time_span{std::chrono::duration<double>{-1e300}}}) {
        BOOST_TEST((least.nanoseconds() == nanoseconds::min()));
    }
}

BOOST_AUTO_TEST_CASE(a_nan_is_no_time) {
    const std::chrono::duration<double> nan{std::numeric_limits<double>::quiet_NaN()};
    BOOST_TEST((time_span{nan} == 0ns));
}

BOOST_AUTO_TEST_CASE(conversions_are_exact_near_the_limits) {
    using whole = std::chrono::duration<std::int64_t>;
    constexpr std::int64_t most = nanoseconds::max().count() / 1'000'000'000;
    BOOST_TEST((time_span{whole{most}}.nanoseconds() == nanoseconds{most * 1'000'000'000}));
    BOOST_TEST((time_span{whole{-most}}.nanoseconds() == nanoseconds{-most * 1'000'000'000}));
    BOOST_TEST(time_span{whole{most + 1}}.unlimited());
    BOOST_TEST((time_span{whole{-most - 1}}.nanoseconds() == nanoseconds::min()));
    using unsigned_ms = std::chrono::duration<std::uint64_t, std::milli>;
    BOOST_TEST(time_span{unsigned_ms::max()}.unlimited());
    BOOST_TEST((time_span{unsigned_ms{7}} == 7ms));
}

BOOST_AUTO_TEST_CASE(a_time_beyond_the_clock_never_comes) {
    using point = std::chrono::steady_clock::time_point;
    const point now{1000s};
    BOOST_TEST((later(now, 5ms) == now + 5ms));
    BOOST_TEST((later(now, -2000s) == point{-1000s}));
    BOOST_TEST((later(now, time_span::max()) == point::max()));
    BOOST_TEST((later(now, nanoseconds::max() - 1000s) == point::max()));
    BOOST_TEST((later(now, nanoseconds::max() - 1001s) < point::max()));
    BOOST_TEST((later(point::max(), 1s) == point::max()));
    BOOST_TEST((later(point{}, std::chrono::hours::min()) == point::min()));
}

BOOST_AUTO_TEST_SUITE_END()
