// Heads of requests and what is understood of them.
#include "requests.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(request_parser_test)

using namespace leat::http;
using namespace leat::http::test;

namespace {

using state = request_parser::state;

struct parsed {
    std::string text;
    request_head head;
    explicit parsed(std::string from) : text(std::move(from)) {
        request_parser parser;
        const auto said = parser.parse(text);
        BOOST_TEST_REQUIRE(outcome(said) == 200U, text);
        BOOST_TEST(said.head_bytes == text.size());
        head = parser.head();
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_legal) {
    const std::vector<std::string> all{
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHOST:a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: \t a \t \r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a%20b_~!$&'()*+,;=\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/b HTTP/1.1\r\nHost: c\r\n\r\n",
        "GET /\xc3\xa9?\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        "M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n",
        "!#$%&'*+-.^_`|~ / HTTP/1.1\r\nHost: a\r\n\r\n",
        repeated("A", 32) + " / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /" + repeated("a", 99) + " HTTP/1.1\r\nHost: a\r\n\r\n",
        get("X:\r\n"),
        get("X: \r\n"),
        get("X: y\tz \xff\r\n"),
        get("!#$%&'*+-.^_`|~09azAZ: y\r\n"),
        get("Content-Length: 0005\r\n"),
        get("Content-Length: 18446744073709551615\r\n"),
        get("Transfer-Encoding: Chunked\r\n"),
        get(repeated("If-None-Match: \"a\"\r\n", 4)),
        // As long as a head may be.
        get("X: " + repeated("y", 1000 - get("X: \r\n").size()) + "\r\n"),
    };
    for (const std::string& one : all) {
        BOOST_TEST_INFO_SCOPE(one);
        BOOST_TEST(outcome(one) == 200U);
        BOOST_TEST(outcome_in_pieces(one, 1) == 200U);
        for (std::size_t size = 0; size < one.size(); ++size)
            BOOST_TEST(outcome(one.substr(0, size)) == 0U, size);
    }
}

BOOST_AUTO_TEST_CASE(a_head_may_be_as_long_as_the_limit) {
    const std::string longer = get("X: " + repeated("y", 1001 - get("X: \r\n").size()) + "\r\n");
    BOOST_TEST(longer.size() == 1001U);
    BOOST_TEST(outcome(longer) == 431U);
    // The content behind it does not count.
    BOOST_TEST(outcome(get("Content-Length: 5000\r\n") + repeated("z", 5000)) == 200U);
}

BOOST_AUTO_TEST_CASE(bytes_that_come_one_by_one_are_looked_at_once) {
    constexpr std::size_t size = 1 << 20;
    const std::string text = get("X: " + repeated("y", size) + "\r\n");
    request_parser parser{{.head = 2 * size}};
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t received = 0; received < text.size(); ++received)
        if (outcome(parser.parse(std::string_view{text}.substr(0, received))) != 0)
            BOOST_FAIL("more is needed");
    BOOST_TEST(outcome(parser.parse(text)) == 200U);
    // Milliseconds; as many times as there are bytes, half a minute.
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds{8}));
}

BOOST_AUTO_TEST_CASE(what_a_head_says) {
    const parsed one{
        "GET /a?b HTTP/1.1\r\nHost: h:1\r\nRange: bytes=0-1\r\nIf-Range: \"r\"\r\n"
        "If-Match: \"m\"\r\nIf-None-Match: \"n\"\r\nIf-None-Match: \"o\"\r\n"
        "If-Modified-Since: ms\r\nIf-Unmodified-Since: us\r\nAuthorization: Basic x\r\n"
        "Accept: */*\r\nAccept-Encoding: gzip\r\nOrigin: http://o\r\n"
        "Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: range\r\n"
        "User-Agent: u\r\nReferer: http://r\r\nX-Forwarded-For: f\r\nleat-admin: yes\r\n\r\n"};
    const request_head& head = one.head;
    BOOST_TEST((head.method == request_method::get));
    BOOST_TEST(head.method_text == "GET");
    BOOST_TEST(head.target == "/a?b");
    BOOST_TEST(head.minor_version == 1);
    BOOST_TEST(head.host == "h:1");
    BOOST_TEST(head.keep_alive);
    BOOST_TEST((head.content == content_kind::none));
    BOOST_TEST(!head.expect_continue);
    BOOST_TEST(head.range == "bytes=0-1");
    BOOST_TEST(head.if_range == "\"r\"");
    BOOST_TEST(head.if_match.count == 1U);
    BOOST_TEST(head.if_match.lines()[0] == "\"m\"");
    BOOST_TEST(head.if_none_match.count == 2U);
    BOOST_TEST(head.if_none_match.lines()[1] == "\"o\"");
    BOOST_TEST(head.if_modified_since == "ms");
    BOOST_TEST(head.if_unmodified_since == "us");
    BOOST_TEST(head.authorization == "Basic x");
    BOOST_TEST(head.accept == "*/*");
    BOOST_TEST(head.accept_encoding == "gzip");
    BOOST_TEST(head.origin == "http://o");
    BOOST_TEST(head.access_control_request_method == "GET");
    BOOST_TEST(head.access_control_request_headers == "range");
    BOOST_TEST(head.user_agent == "u");
    BOOST_TEST(head.referer == "http://r");
    BOOST_TEST(head.forwarded_for == "f");
    BOOST_TEST(head.leat_admin == "yes");
}

BOOST_AUTO_TEST_CASE(fields_that_may_come_once) {
    BOOST_TEST(parsed{get("")}.head.if_range.data() == nullptr);
    const parsed empty{get("If-Range:\r\n")};
    BOOST_TEST(empty.head.if_range.data() != nullptr);
    BOOST_TEST(empty.head.if_range.empty());
    for (const unsigned times : {2U, 3U}) {
        const parsed many{get(repeated("If-Range: \"a\"\r\n", times))};
        BOOST_TEST(many.head.if_range.data() != nullptr);
        BOOST_TEST(many.head.if_range.empty());
    }
}

BOOST_AUTO_TEST_CASE(methods) {
    const auto method = [](const std::string& name) {
        return parsed{name + " / HTTP/1.1\r\nHost: a\r\n\r\n"}.head.method;
    };
    BOOST_TEST((method("GET") == request_method::get));
    BOOST_TEST((method("HEAD") == request_method::head));
    BOOST_TEST((method("POST") == request_method::post));
    for (const char* const name : {"PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT"})
        BOOST_TEST((method(name) == request_method::other), name);
    for (const char* const name : {"get", "Get", "GETS", "FETCH"})
        BOOST_TEST((method(name) == request_method::unknown), name);
}

BOOST_AUTO_TEST_CASE(how_long_the_connection_lives) {
    const auto kept = [](const std::string& version, const std::string& fields) {
        return parsed{"GET / HTTP/" + version + "\r\nHost: a\r\n" + fields + "\r\n"}
            .head.keep_alive;
    };
    BOOST_TEST(kept("1.1", ""));
    BOOST_TEST(kept("1.1", "Connection: keep-alive\r\n"));
    BOOST_TEST(kept("1.1", "Connection: Upgrade, HTTP2-Settings\r\n"));
    BOOST_TEST(kept("1.1", "Proxy-Connection: close\r\n"));
    BOOST_TEST(!kept("1.1", "Connection: close\r\n"));
    BOOST_TEST(!kept("1.1", "Connection: Close\r\n"));
    BOOST_TEST(!kept("1.1", "Connection: x , close\r\n"));
    BOOST_TEST(!kept("1.1", "Connection: close, keep-alive\r\n"));
    BOOST_TEST(!kept("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
    BOOST_TEST(!kept("1.0", ""));
    BOOST_TEST(kept("1.0", "Connection: keep-alive\r\n"));
    BOOST_TEST(!kept("1.0", "Proxy-Connection: keep-alive\r\n"));
    BOOST_TEST(!kept("1.0", "Connection: keep-alive, close\r\n"));
}

BOOST_AUTO_TEST_CASE(content) {
    const parsed sized{get("Content-Length: 5\r\nExpect: 100-Continue\r\n")};
    BOOST_TEST((sized.head.content == content_kind::sized));
    BOOST_TEST(sized.head.content_length == 5U);
    BOOST_TEST(sized.head.expect_continue);
    const parsed chunked{get("Transfer-Encoding: CHUNKED\r\nExpect: x\r\n")};
    BOOST_TEST((chunked.head.content == content_kind::chunked));
    BOOST_TEST(!chunked.head.expect_continue);
    BOOST_TEST((parsed{get("Content-Length: 0\r\n")}.head.content == content_kind::none));
    const parsed old{"POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"};
    BOOST_TEST((old.head.content == content_kind::sized));
    BOOST_TEST(!old.head.expect_continue);
}

BOOST_AUTO_TEST_CASE(requests_that_come_at_once_are_read_one_by_one) {
    const std::string first = "GET /1 HTTP/1.1\r\nHost: a\r\nRange: bytes=0-\r\n\r\n";
    const std::string second = "\r\nHEAD /2 HTTP/1.1\r\nHost: b\r\n\r\n";
    const std::string text = first + second + "GET /3 HT";
    std::string_view left = text;
    request_parser parser;
    BOOST_TEST(!parser.begun());
    auto said = parser.parse(left);
    BOOST_TEST_REQUIRE(outcome(said) == 200U);
    BOOST_TEST(said.head_bytes == first.size());
    BOOST_TEST(parser.head().target == "/1");
    BOOST_TEST(!parser.begun());
    left.remove_prefix(said.head_bytes);
    said = parser.parse(left);
    BOOST_TEST_REQUIRE(outcome(said) == 200U);
    BOOST_TEST(said.head_bytes == second.size());
    BOOST_TEST(parser.head().target == "/2");
    BOOST_TEST(parser.head().host == "b");
    BOOST_TEST(parser.head().range.data() == nullptr);  // nothing of the first
    left.remove_prefix(said.head_bytes);
    BOOST_TEST(outcome(parser.parse(left)) == 0U);
    BOOST_TEST(parser.begun());
}

BOOST_AUTO_TEST_CASE(an_empty_line_is_no_request_yet) {
    request_parser parser;
    BOOST_TEST(outcome(parser.parse("\r\n")) == 0U);
    BOOST_TEST(!parser.begun());
    BOOST_TEST(outcome(parser.parse("\r\nG")) == 0U);
    BOOST_TEST(parser.begun());
}

BOOST_AUTO_TEST_CASE(what_is_known_of_a_refused_request) {
    request_parser parser;
    BOOST_TEST(outcome(parser.parse("GET /a HTTP/1.1\r\n\r\n")) == 400U);
    BOOST_TEST(parser.head().target == "/a");
    BOOST_TEST(!parser.head().keep_alive);
    request_parser other;
    BOOST_TEST(outcome(other.parse("GET /a HTTP/1.1\n")) == 400U);
    BOOST_TEST(other.head().target.empty());
    BOOST_TEST(!other.head().keep_alive);
}

BOOST_AUTO_TEST_SUITE_END()
