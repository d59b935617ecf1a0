// Requests that are refused: a table of over a hundred, and the status of each.
#include "requests.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(request_refusals_test)

using namespace leat::http::test;
using namespace std::string_literals;

namespace {

struct row {
    std::string text;
    unsigned status;
};

// Where a request ends: what another party could read in another way.
std::vector<row> framing_faults() {
    return {
        {get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
        {get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
        {get("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), 400},
        {get("Content-Length: 5\r\nTransfer-Encoding: identity\r\n"), 400},
        {get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
        {get("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 400},
        {get("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"), 501},
        {get("Transfer-Encoding: identity\r\n"), 501},
        {get("Transfer-Encoding: gzip\r\n"), 501},
        {get("Transfer-Encoding: gzip, chunked\r\n"), 501},
        {get("Transfer-Encoding: chunked, gzip\r\n"), 501},
        {get("Transfer-Encoding: chunked, chunked\r\n"), 501},
        {get("Transfer-Encoding: chunked,\r\n"), 501},
        {get("Transfer-Encoding: ,chunked\r\n"), 501},
        {get("Transfer-Encoding: chunked;q=1\r\n"), 501},
        {get("Transfer-Encoding: \"chunked\"\r\n"), 501},
        {get("Transfer-Encoding: xchunked\r\n"), 501},
        {get("Transfer-Encoding: chunked x\r\n"), 501},
        {get("Transfer-Encoding:\r\n"), 501},
        {get("Transfer-Encoding: \vchunked\r\n"), 400},
        {get("Transfer-Encoding: chunked\x0c\r\n"), 400},
        {get("Transfer-Encoding: chu\0nked\r\n"s), 400},
        {get("Transfer-Encoding : chunked\r\n"), 400},
        {get("Transfer-Encoding\t: chunked\r\n"), 400},
        {get(" Transfer-Encoding: chunked\r\n"), 400},
        {get("X: y\r\n Transfer-Encoding: chunked\r\n"), 400},
        {get("Transfer-Encoding:\r\n chunked\r\n"), 400},
        {get("Transfer-Encoding: chunked\r\n \r\n"), 400},
        {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\nTransfer-Encoding: identity\r\n\r\n", 400},
        {get("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
        {get("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
        {get("Content-Length: 0\r\nContent-Length: 0\r\n"), 400},
        {get("Content-Length: 5, 5\r\n"), 400},
        {get("Content-Length: 5,5\r\n"), 400},
        {get("Content-Length: 5,\r\n"), 400},
        {get("Content-Length: ,5\r\n"), 400},
        {get("Content-Length: 5 5\r\n"), 400},
        {get("Content-Length: +5\r\n"), 400},
        {get("Content-Length: -5\r\n"), 400},
        {get("Content-Length: -0\r\n"), 400},
        {get("Content-Length: 5.0\r\n"), 400},
        {get("Content-Length: 0x5\r\n"), 400},
        {get("Content-Length: 5e3\r\n"), 400},
        {get("Content-Length: five\r\n"), 400},
        {get("Content-Length: \"5\"\r\n"), 400},
        {get("Content-Length:\r\n"), 400},
        {get("Content-Length: 18446744073709551616\r\n"), 400},
        {get("Content-Length: 99999999999999999999999999\r\n"), 400},
        {get("Content-Length: 5\0\r\n"s), 400},
        {get("Content-Length : 5\r\n"), 400},
        {get("Content-Length: 5\r\n 6\r\n"), 400},
        {get("Content-Length:\r\n 6\r\n"), 400},
    };
}

std::vector<row> line_faults() {
    return {
        {"GET / HTTP/1.1\nHost: a\n\n", 400},
        {"GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: y\n\r\n", 400},
        {"GET / HTTP/1.1\rHost: a\r\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\rHost: a\r\n\r\n", 400},
        {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"\tGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
        {"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /a b HTTP/2.0\r\nHost: a\r\n\r\n", 400},
        {"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"s, 400},
        {"GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET\r\n\r\n", 400},
        {"GET \r\n\r\n", 400},
        {"GET /\r\n", 0},
        {"GET /\r\n\r\n", 400},
        {"GET / \r\n\r\n", 400},
        {"GET / H\r\n\r\n", 400},
        {"GET / HTTP/\r\n\r\n", 400},
        {"GET / HTTP/1\r\n\r\n", 400},
        {"GET / HTTP/1.\r\n\r\n", 400},
        {"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/11.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/01.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1,1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/a.b\r\nHost: a\r\n\r\n", 400},
        {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / ICY/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTPS/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"GET / HTTP/9.9\r\nHost: a\r\n\r\n", 505},
        {"G\0T / HTTP/1.1\r\nHost: a\r\n\r\n"s, 400},
        {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"G\xc3\x89T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"{}", 400},
        {"\x16\x03\x01\x02", 400},  // a TLS handshake
        {"\x80\x2e\x01", 400},
        {"\0"s, 400},
        {repeated("A", 33), 501},
        {repeated("A", 33) + " / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {repeated("A", 33) + '\0', 501},
    };
}

std::vector<row> field_faults() {
    return {
        {"GET / HTTP/1.1\r\n\r\n", 400},  // no Host
        {"GET / HTTP/1.1\r\nX: y\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost:\r\nHost:\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a,b\r\nHost: c\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a%\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a%4\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: []\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\xff\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: <a>\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\"\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400},
        {get("X\r\n"), 400},
        {get("X y\r\n"), 400},
        {get(": y\r\n"), 400},
        {get(" : y\r\n"), 400},
        {get("X Y: z\r\n"), 400},
        {get("X\0: y\r\n"s), 400},
        {get("X(: y\r\n"), 400},
        {get("X\xc3\xa9: y\r\n"), 400},
        {get("\"X\": y\r\n"), 400},
        {get("X: y\0z\r\n"s), 400},
        {get("X: y\x01z\r\n"), 400},
        {get("X: y\x7fz\r\n"), 400},
        {get("X: y\x1bz\r\n"), 400},
        {get("X: y\r\n z\r\n"), 400},
        {get("X: y\r\n\tz\r\n"), 400},
        {get("X:\r\n y\r\n"), 400},
        {get("X: y\r\n \r\n"), 400},
        {get("X: " + repeated("y\r\n ", 20) + "\r\n"), 400},
        {get("Connection: close(\r\n"), 400},
        {get(repeated("If-None-Match: \"a\"\r\n", 5)), 431},
        {get(repeated("If-Match: \"a\"\r\n", 5)), 431},
        {get("X: " + repeated("y", 1000) + "\r\n"), 431},
        {get(repeated("X: y\r\n", 200)), 431},
        {get("X: " + repeated("y", 1000)), 431},
        {get(repeated("y", 1000)), 431},
        {"GET /" + repeated("a", 100) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
        {"GET /" + repeated("a", 5000) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
        {"GET /" + repeated("a", 5000), 414},
        {"GET " + repeated("/", 111), 414},
        // The first fault counts, though a line's end without CR is behind it.
        {"GET /" + repeated("a", 110) + "\n", 414},
        {get(repeated("X: y\r\n", 200)) + "\n", 431},
        {get("X: " + repeated("y", 1000) + '\n'), 431},
    };
}

void check_table(const std::vector<row>& rows) {
    for (const row& one : rows) {
        BOOST_TEST_INFO_SCOPE(one.text);
        BOOST_TEST(outcome(one.text) == one.status);
        BOOST_TEST(outcome_in_pieces(one.text, 1) == one.status);
        BOOST_TEST(outcome_in_pieces(one.text, 7) == one.status);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(framing_that_others_could_read_otherwise_is_refused) {
    check_table(framing_faults());
    BOOST_TEST(framing_faults().size() + line_faults().size() + field_faults().size() >= 150U);
}

BOOST_AUTO_TEST_CASE(malformed_lines_are_refused) {
    check_table(line_faults());
}

BOOST_AUTO_TEST_CASE(malformed_and_large_fields_are_refused) {
    check_table(field_faults());
}

BOOST_AUTO_TEST_SUITE_END()
