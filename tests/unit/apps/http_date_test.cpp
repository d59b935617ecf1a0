// Dates of HTTP: a table of right answers, and the way there and back.
#include "http/http_date.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(http_date_test)

using namespace leat::http;
using namespace std::chrono;

namespace {

constexpr sys_seconds now = sys_days{2026y / November / 28} + 13h;

// Seconds since 1970, or -1 if the text is no date.
std::int64_t read(std::string_view text) {
    const auto date = parse_date(text, now);
    return date ? date->time_since_epoch().count() : -1;
}

std::string written(sys_seconds time) {
    const auto text = format_date(time);
    return {text.data(), text.size()};
}

}  // namespace

BOOST_AUTO_TEST_CASE(three_forms) {
    BOOST_TEST(read("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
    BOOST_TEST(read("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
    BOOST_TEST(read("Sun Nov  6 08:49:37 1994") == 784111777);
    BOOST_TEST(read("Wed Nov 16 08:49:37 1994") == 784111777 + 10 * 86400);
    BOOST_TEST(read("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
    BOOST_TEST(read("Thu, 29 Feb 2024 23:59:59 GMT") == 1709251199);
    BOOST_TEST(read("Thu, 29 Feb 2024 23:59:60 GMT") == 1709251200);
    BOOST_TEST(read("Fri, 31 Dec 9999 23:59:59 GMT") == 253402300799);
    BOOST_TEST(read("Mon, 06 Nov 1994 08:49:37 GMT") == 784111777);  // it was a Sunday
}

BOOST_AUTO_TEST_CASE(what_is_no_date) {
    const std::vector<std::string> all{
        "",
        "0",
        "784111777",
        "Sun",
        "Sun,",
        "Sunday",
        "Sunday,",
        "Sun, 06 Nov 1994",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 NOV 1994 08:49:37 GMT",
        "Sun, 06 anF 1994 08:49:37 GMT",
        "Sun, 06 November 1994 08:49:37 GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "SUN, 06 Nov 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sunda, 06-Nov-94 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Monday Nov  6 08:49:37 1994",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov 06 08:49:37 94",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov   6 08:49:37 1994",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 30 Feb 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08-49-37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov +994 08:49:37 GMT",
        "Sun, 06 Nov 19940 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
    };
    for (const std::string& one : all) BOOST_TEST(read(one) == -1, one);
    const std::string right = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (std::size_t size = 0; size < right.size(); ++size)
        BOOST_TEST(read(right.substr(0, size)) == -1);
}

BOOST_AUTO_TEST_CASE(years_of_two_digits) {
    const auto year = [](std::string_view text, sys_seconds at) {
        const auto date = parse_date(text, at);
        BOOST_TEST_REQUIRE(date.has_value(), text);
        return static_cast<int>(year_month_day{floor<days>(*date)}.year());
    };
    BOOST_TEST(year("Sunday, 06-Nov-00 08:49:37 GMT", now) == 2000);
    BOOST_TEST(year("Sunday, 06-Nov-26 08:49:37 GMT", now) == 2026);
    BOOST_TEST(year("Sunday, 06-Nov-76 08:49:37 GMT", now) == 2076);
    BOOST_TEST(year("Sunday, 31-Dec-76 08:49:37 GMT", now) == 1976);
    BOOST_TEST(year("Sunday, 06-Nov-77 08:49:37 GMT", now) == 1977);
    BOOST_TEST(year("Sunday, 06-Nov-99 08:49:37 GMT", now) == 1999);
    BOOST_TEST(year("Sunday, 06-Nov-20 08:49:37 GMT", sys_days{2080y / 1 / 1}) == 2020);
    BOOST_TEST(year("Sunday, 06-Nov-99 08:49:37 GMT", sys_days{2080y / 1 / 1}) == 2099);
    // 29 Feb is a day of 2000, and none of 1900.
    BOOST_TEST(year("Sunday, 29-Feb-00 08:49:37 GMT", now) == 2000);
}

BOOST_AUTO_TEST_CASE(there_and_back) {
    BOOST_TEST(written(sys_seconds{784111777s}) == "Sun, 06 Nov 1994 08:49:37 GMT");
    BOOST_TEST(written(sys_seconds{}) == "Thu, 01 Jan 1970 00:00:00 GMT");
    BOOST_TEST(written(sys_seconds{-1s}) == "Wed, 31 Dec 1969 23:59:59 GMT");
    BOOST_TEST(written(sys_seconds{1'000'000'000'000'000s}) == "Fri, 31 Dec 9999 23:59:59 GMT");
    BOOST_TEST(written(sys_seconds{-1'000'000'000'000'000s}) == "Sat, 01 Jan 0000 00:00:00 GMT");
    // Each day of the week, each month, and leap years.
    for (std::int64_t at = 0; at < 250'000'000'000; at += 86400LL * 37 * 11 + 12347)
        BOOST_TEST(read(written(sys_seconds{seconds{at}})) == at);
}

BOOST_AUTO_TEST_CASE(the_text_of_now_follows_the_time) {
    BOOST_TEST(date_text(sys_seconds{}) == "Thu, 01 Jan 1970 00:00:00 GMT");
    BOOST_TEST(date_text(sys_seconds{1s}) == "Thu, 01 Jan 1970 00:00:01 GMT");
    BOOST_TEST(date_text(sys_seconds{1s}) == "Thu, 01 Jan 1970 00:00:01 GMT");
    BOOST_TEST(date_text(sys_seconds{}) == "Thu, 01 Jan 1970 00:00:00 GMT");
    const sys_seconds before = floor<seconds>(system_clock::now());
    BOOST_TEST((present() >= before - 1s && present() <= before + 60s));
}

BOOST_AUTO_TEST_SUITE_END()
