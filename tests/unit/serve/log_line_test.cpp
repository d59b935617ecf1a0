// A request as a line of a log.
#include "access_log.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(log_line_test)

using namespace leat::serve;

namespace {

request_record sample() {
    request_record made;
    leat::http::proxied_end end;
    end.address = {192, 0, 2, 7};
    end.address_bytes = 4;
    made.peer = peer_address::of(end);
    made.status = 206;
    made.bytes = 4096;
    made.method = "GET";
    made.target = "/a b\"c\\d\r\n\x7f";
    made.took = std::chrono::microseconds{1234};
    return made;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log_line_suite)

BOOST_AUTO_TEST_CASE(nothing_ends_its_field_in_a_combined_line) {
    const std::string line = log_line(sample(), log_format::combined);
    BOOST_TEST(line.starts_with("192.0.2.7 - - ["));
    BOOST_TEST(line.ends_with(R"(] "GET /a b\x22c\x5Cd\x0D\x0A\x7F HTTP/1.1" 206 4096 "-" "-")"));
    BOOST_TEST(line.find('\n') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_line_of_json_can_be_parsed_whatever_bytes_there_are) {
    request_record record = sample();
    const std::string bytes = "/\xff\xc3\xa9\xe2\x82\xf0\x90\x80\x80\xc0\x80";
    record.target = bytes;
    const auto parsed = boost::json::parse(log_line(record, log_format::json)).as_object();
    BOOST_TEST(parsed.at("status").as_int64() == 206);
    BOOST_TEST(parsed.at("duration_us").as_int64() == 1234);
    BOOST_TEST(parsed.at("target").as_string().find("\xc3\xa9") != std::string::npos);
    BOOST_TEST(parsed.at("target").as_string().find('\xff') == std::string::npos);
    BOOST_TEST((parsed.find("user") == parsed.end()));
}

BOOST_AUTO_TEST_CASE(what_only_looks_like_utf8_is_replaced) {
    for (const char* const bytes : {"\xed\xa0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80",
                                    "\xf4\x90\x80\x80", "\xf7\xbf\xbf\xbf", "\xc1\xbf"}) {
        request_record record = sample();
        record.user_agent = bytes;
        const std::string line = log_line(record, log_format::json);
        BOOST_TEST(line.find(bytes) == std::string::npos);
        BOOST_TEST(line.find("\xef\xbf\xbd") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_request_that_could_not_be_read_has_none_in_its_line) {
    request_record record;
    record.status = 400;
    const std::string line = log_line(record, log_format::combined);
    BOOST_TEST(line.ends_with(R"(] "" 400 0 "-" "-")"));
    BOOST_TEST(line.starts_with("unix: - - ["));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
