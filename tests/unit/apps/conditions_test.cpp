// Conditions of requests: a table of right answers.
#include "http/conditions.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(conditions_test)

using namespace leat::http;
using namespace std::chrono_literals;

namespace {

const std::string own = "\"0123456789abcdef\"";
const std::string modified = "Sun, 06 Nov 1994 08:49:37 GMT";
const std::string before = "Sun, 06 Nov 1994 08:49:36 GMT";
const std::string after = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr sys_seconds time_of_file{784111777s};
constexpr sys_seconds now = time_of_file + 1h;
constexpr validators strong{{0x0123456789abcdef, false}, time_of_file};
constexpr validators weak{{0x0123456789abcdef, true}, time_of_file};

void add(field_lines& lines, std::string_view value) {
    lines.all[lines.count++] = value;
}

unsigned answer(const request_head& head, const validators& file = strong, sys_seconds at = now) {
    switch (evaluate(head, file, at)) {
        case precondition::holds:
            return 200;
        case precondition::not_modified:
            return 304;
        case precondition::failed:
            return 412;
    }
    return 0;
}

unsigned if_match(const std::string& value, const validators& file = strong) {
    request_head head;
    add(head.if_match, value);
    return answer(head, file);
}

unsigned if_none_match(const std::string& value, const validators& file = strong) {
    request_head head;
    add(head.if_none_match, value);
    return answer(head, file);
}

struct row {
    std::string list;
    bool strongly, weakly;  // whether it names the tag "0123456789abcdef"
};

}  // namespace

BOOST_AUTO_TEST_CASE(lists_of_tags) {
    const std::vector<row> rows{
        {"*", true, true},
        {own, true, true},
        {"W/" + own, false, true},
        {"\"other\", " + own, true, true},
        {"\"other\"," + own, true, true},
        {"\"a,b\" ,\t" + own, true, true},
        {own + ", \"other\"", true, true},
        {",, " + own + ",,", true, true},
        {"W/\"other\", " + own, true, true},
        {"\"\", " + own, true, true},
        {"W/" + own + ", " + own, true, true},
        {own + " x", true, true},  // those before a fault count
        {"", false, false},
        {",", false, false},
        {"\"other\"", false, false},
        {"\"\"", false, false},
        {"**", false, false},
        {"*, *", false, false},
        {"\"other\", *", false, false},
        {"0123456789abcdef", false, false},
        {"'0123456789abcdef'", false, false},
        {"\"0123456789ABCDEF\"", false, false},
        {"\"0123456789abcdef", false, false},
        {"0123456789abcdef\"", false, false},
        {"\"0123456789abcdef\\\"", false, false},
        {"\" 0123456789abcdef\"", false, false},
        {"w/" + own, false, false},
        {"W/ " + own, false, false},
        {"W/W/" + own, false, false},
        {"x, " + own, false, false},
        {"\"other\" " + own, false, false},
        {"\"other\";" + own, false, false},
        {"\"other\"" + own, false, false},
        {"\"a b\", " + own, false, false},  // a blank is no letter of a tag
    };
    for (const row& one : rows) {
        BOOST_TEST(if_match(one.list) == (one.strongly ? 200U : 412U), one.list);
        BOOST_TEST(if_none_match(one.list) == (one.weakly ? 304U : 200U), one.list);
        // A weak tag of the file's matches strongly nothing but "*".
        BOOST_TEST(if_match(one.list, weak) == (one.list == "*" ? 200U : 412U), one.list);
        BOOST_TEST(if_none_match(one.list, weak) == (one.weakly ? 304U : 200U), one.list);
    }
}

BOOST_AUTO_TEST_CASE(those_of_a_version) {
    leat::file_version version{.inode = 1, .modified_ns = 784111777'999'999'999};
    BOOST_TEST((validators_of(version, true).modified == time_of_file));
    BOOST_TEST((validators_of(version, true).tag == entity_tag::of(version, true)));
    BOOST_TEST(validators_of(version, false).tag.weak());
    version.modified_ns = -1;
    BOOST_TEST((validators_of(version, true).modified == sys_seconds{-1s}));
}

BOOST_AUTO_TEST_CASE(several_lines) {
    request_head head;
    add(head.if_match, "\"other\"");
    BOOST_TEST(answer(head) == 412U);
    add(head.if_match, own);
    BOOST_TEST(answer(head) == 200U);
    add(head.if_none_match, "\"other\"");
    BOOST_TEST(answer(head) == 200U);
    add(head.if_none_match, own);
    BOOST_TEST(answer(head) == 304U);
}

BOOST_AUTO_TEST_CASE(dates) {
    const auto since = [](std::string_view date) {
        request_head head;
        head.if_modified_since = date;
        return answer(head);
    };
    const auto unmodified = [](std::string_view date) {
        request_head head;
        head.if_unmodified_since = date;
        return answer(head);
    };
    BOOST_TEST(since(modified) == 304U);
    BOOST_TEST(since(after) == 304U);
    BOOST_TEST(since(before) == 200U);
    BOOST_TEST(since("Sun Nov  6 08:49:37 1994") == 304U);
    BOOST_TEST(unmodified(modified) == 200U);
    BOOST_TEST(unmodified(after) == 200U);
    BOOST_TEST(unmodified(before) == 412U);
    for (const std::string_view none : {"", "0", "yesterday", "Sun, 06 Nov 1994 08:49:36"}) {
        BOOST_TEST(since(none) == 200U);
        BOOST_TEST(unmodified(none) == 200U);
    }
}

BOOST_AUTO_TEST_CASE(a_file_of_the_future_is_of_now) {
    request_head head;
    head.if_modified_since = modified;
    const validators future{strong.tag, time_of_file + 24h};
    BOOST_TEST(answer(head, future, time_of_file) == 304U);
    BOOST_TEST(answer(head, future, time_of_file + 1s) == 200U);
    request_head other;
    other.if_unmodified_since = modified;
    BOOST_TEST(answer(other, future, time_of_file) == 200U);
    BOOST_TEST(answer(other, future, time_of_file + 1s) == 412U);
}

BOOST_AUTO_TEST_CASE(tags_count_before_dates_and_if_match_before_if_none_match) {
    const auto all = [](const std::string& match, const std::string& unmodified,
                        const std::string& none_match, const std::string& since) {
        request_head head;
        if (!match.empty()) add(head.if_match, match);
        head.if_unmodified_since = unmodified;
        if (!none_match.empty()) add(head.if_none_match, none_match);
        head.if_modified_since = since;
        return answer(head);
    };
    const std::string other = "\"other\"";
    BOOST_TEST(all(own, before, "", "") == 200U);  // the date is not looked at
    BOOST_TEST(all(other, after, "", "") == 412U);
    BOOST_TEST(all("", "", other, after) == 200U);
    BOOST_TEST(all("", "", own, before) == 304U);
    BOOST_TEST(all(other, "", own, "") == 412U);
    BOOST_TEST(all(own, "", own, "") == 304U);
    BOOST_TEST(all("", before, own, "") == 412U);
    BOOST_TEST(all("", after, own, "") == 304U);
    BOOST_TEST(all("", before, "", modified) == 412U);
    BOOST_TEST(all("", modified, "", modified) == 304U);
    BOOST_TEST(all(own, before, other, modified) == 200U);
    BOOST_TEST(all("", "", "", "") == 200U);
}

BOOST_AUTO_TEST_CASE(if_range) {
    const auto holds = [](std::string_view value, const validators& file, sys_seconds at) {
        request_head head;
        head.if_range = value;
        return range_holds(head, file, at);
    };
    BOOST_TEST(range_holds({}, strong, now));
    BOOST_TEST(range_holds({}, weak, now));
    BOOST_TEST(holds(own, strong, now));
    BOOST_TEST(holds(modified, strong, now));
    BOOST_TEST(holds("Sunday, 06-Nov-94 08:49:37 GMT", strong, now));
    const std::vector<std::string> none{
        "",     "*",   "\"other\"", "W/" + own,       "\"other\", " + own,   own + ", \"other\"",
        before, after, "x",         own.substr(1, 5), modified.substr(0, 25)};
    for (const std::string& one : none) BOOST_TEST(!holds(one, strong, now), one);
    for (const std::string& one : {own, "W/" + own, modified})
        BOOST_TEST(!holds(one, weak, now), one);
    // While its second is not over the file may change again within it.
    BOOST_TEST(!holds(modified, strong, time_of_file));
    BOOST_TEST(holds(modified, strong, time_of_file + 1s));
    BOOST_TEST(holds(own, strong, time_of_file));
}

BOOST_AUTO_TEST_SUITE_END()
