// Requests for a file and their answers.
#include "common/file_answer.hpp"

#include <leat/io/error.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace leat::apps;
using boost::beast::http::status;

namespace {

constexpr leat::file_version version{.device = 1, .inode = 2, .size = 100, .modified_ns = 3};
const std::string etag = etag_of(version);

// The answer to `first_line` and `fields`, each ended by CRLF, for a file of `size` bytes.
file_answer answer(std::string_view first_line, std::string_view fields, std::uint64_t size = 100) {
    const std::string text = std::string{first_line} + "\r\n" + std::string{fields} + "\r\n";
    http_request request;
    boost::system::error_code code;
    request.put(boost::asio::buffer(text), code);
    BOOST_TEST_REQUIRE(!code, text << code.message());
    return answer_to(request, status::ok, size, version);
}

file_answer get(std::string_view fields, std::uint64_t size = 100) {
    return answer("GET / HTTP/1.1", fields, size);
}

unsigned status_of(const file_answer& one) {
    BOOST_TEST_REQUIRE(one.head.starts_with("HTTP/1.1 "));
    return static_cast<unsigned>(std::stoul(one.head.substr(9, 3)));
}

// A field's value, or "none".
std::string field(const file_answer& one, std::string_view name) {
    const std::string begin = "\r\n" + std::string{name} + ": ";
    const std::size_t at = one.head.find(begin);
    if (at == std::string::npos) return "none";
    const std::size_t value = at + begin.size();
    return one.head.substr(value, one.head.find("\r\n", value) - value);
}

struct condition_row {
    std::string fields;
    unsigned status;
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_whole_file) {
    const file_answer one = get("");
    BOOST_TEST(status_of(one) == 200U);
    BOOST_TEST(one.first == 0U);
    BOOST_TEST(one.length == 100U);
    BOOST_TEST(one.goes_on);
    BOOST_TEST(field(one, "Content-Length") == "100");
    BOOST_TEST(field(one, "Accept-Ranges") == "bytes");
    BOOST_TEST(field(one, "ETag") == etag);
    BOOST_TEST(field(one, "Content-Range") == "none");
    BOOST_TEST(field(one, "Connection") == "none");
    BOOST_TEST(field(one, "Date").size() == 29U);
    BOOST_TEST(one.head.ends_with("\r\n\r\n"));
    BOOST_TEST(one.head.find("\r\n\r\n") == one.head.size() - 4);
}

BOOST_AUTO_TEST_CASE(ranges) {
    struct row {
        std::string range;
        unsigned status;
        std::uint64_t first, length;
        std::string content_range;
    };
    const std::vector<row> rows{
        {"bytes=0-", 206, 0, 100, "bytes 0-99/100"},
        {"bytes=5-9", 206, 5, 5, "bytes 5-9/100"},
        {"bytes=-1000", 206, 0, 100, "bytes 0-99/100"},
        {"bytes=99-18446744073709551616", 206, 99, 1, "bytes 99-99/100"},
        {"bytes=100-", 416, 0, 0, "bytes */100"},
        {"bytes=18446744073709551616-", 416, 0, 0, "bytes */100"},
        {"bytes=9-5", 200, 0, 100, "none"},
        {"pages=0-", 200, 0, 100, "none"},
        // Several: one, if they overlap or touch; else the whole file.
        {"bytes=5-9,10-14", 206, 5, 10, "bytes 5-14/100"},
        {"bytes=8-20,5-9", 206, 5, 16, "bytes 5-20/100"},
        {"bytes=5-9,1000-", 206, 5, 5, "bytes 5-9/100"},
        {"bytes=0-1,3-4", 200, 0, 100, "none"},
        {"bytes=200-,300-", 416, 0, 0, "bytes */100"},
    };
    for (const row& one : rows) {
        BOOST_TEST_INFO_SCOPE(one.range);
        const file_answer made = get("Range: " + one.range + "\r\n");
        BOOST_TEST(status_of(made) == one.status);
        BOOST_TEST(made.first == one.first);
        BOOST_TEST(made.length == one.length);
        BOOST_TEST(field(made, "Content-Length") == std::to_string(one.length));
        BOOST_TEST(field(made, "Content-Range") == one.content_range);
        BOOST_TEST((field(made, "Accept-Ranges") == "bytes") == (one.status != 416));
        BOOST_TEST(made.goes_on);
    }
    BOOST_TEST(status_of(get("Range: bytes=1-2\r\nRange: bytes=3-4\r\n")) == 200U);
}

BOOST_AUTO_TEST_CASE(an_empty_file) {
    for (const std::string fields : {"", "Range: bytes=-5\r\n", "Range: bytes=x\r\n"}) {
        const file_answer one = get(fields, 0);
        BOOST_TEST(status_of(one) == 200U);
        BOOST_TEST(one.length == 0U);
        BOOST_TEST(field(one, "Content-Length") == "0");
    }
    const file_answer none = get("Range: bytes=0-\r\n", 0);
    BOOST_TEST(status_of(none) == 416U);
    BOOST_TEST(field(none, "Content-Range") == "bytes */0");
}

BOOST_AUTO_TEST_CASE(a_head_is_that_of_the_whole_file_without_content) {
    const file_answer one = answer("HEAD / HTTP/1.1", "Range: bytes=5-9\r\n");
    BOOST_TEST(status_of(one) == 200U);
    BOOST_TEST(one.length == 0U);
    BOOST_TEST(one.goes_on);
    BOOST_TEST(field(one, "Content-Length") == "100");
    BOOST_TEST(field(one, "Accept-Ranges") == "bytes");
    BOOST_TEST(field(one, "ETag") == etag);
}

BOOST_AUTO_TEST_CASE(methods) {
    for (const std::string method :
         {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "PROPFIND"}) {
        const file_answer one = answer(method + " / HTTP/1.1", "");
        BOOST_TEST(status_of(one) == 405U, method);
        BOOST_TEST(field(one, "Allow") == "GET, HEAD");
        BOOST_TEST(one.length == 0U);
        BOOST_TEST(one.goes_on);
    }
    for (const std::string method : {"get", "FETCH", "GETS"}) {
        const file_answer one = answer(method + " / HTTP/1.1", "");
        BOOST_TEST(status_of(one) == 501U, method);
        BOOST_TEST(field(one, "Allow") == "none");
        BOOST_TEST(one.length == 0U);
    }
}

BOOST_AUTO_TEST_CASE(if_range_takes_the_strong_tag_itself_only) {
    const std::string range = "Range: bytes=5-9\r\n";
    BOOST_TEST(status_of(get(range + "If-Range: " + etag + "\r\n")) == 206U);
    for (const std::string& other :
         {"W/" + etag, "\"other\", " + etag, std::string{"\"other\""}, std::string{"*"},
          etag.substr(1, etag.size() - 2), std::string{"Fri, 27 Nov 2026 20:36:04 GMT"},
          std::string{}, etag + "\r\nIf-Range: " + etag}) {
        const file_answer one = get(range + "If-Range: " + other + "\r\n");
        BOOST_TEST(status_of(one) == 200U, other);
        BOOST_TEST(one.length == 100U);
    }
    // Not even 416: the range is another version's.
    BOOST_TEST(status_of(get("Range: bytes=100-\r\nIf-Range: \"other\"\r\n")) == 200U);
}

BOOST_AUTO_TEST_CASE(conditions) {
    const std::vector<condition_row> rows{
        {"If-Match: *", 200},
        {"If-Match: " + etag, 200},
        {"If-Match: \"a,b\" , " + etag, 200},
        {"If-Match: \"other\"\r\nIf-Match: " + etag, 200},
        {"If-Match: W/" + etag, 412},
        {"If-Match: \"other\"", 412},
        {"If-Match: other", 412},
        {"If-Match: ", 412},
        {"If-None-Match: *", 304},
        {"If-None-Match: " + etag, 304},
        {"If-None-Match: W/" + etag, 304},
        {"If-None-Match: \"other\", W/" + etag, 304},
        {"If-None-Match: \"other\"\r\nIf-None-Match: " + etag, 304},
        {"If-None-Match: \"other\"", 200},
        {"If-None-Match: \"unended", 200},
        {"If-None-Match: ", 200},
        {"If-Match: \"other\"\r\nIf-None-Match: " + etag, 412},
        {"If-None-Match: " + etag + "\r\nRange: bytes=200-", 304},
    };
    for (const condition_row& one : rows) {
        const file_answer made = get(one.fields + "\r\n");
        BOOST_TEST(status_of(made) == one.status, one.fields);
        BOOST_TEST(made.length == (one.status == 200 ? 100U : 0U), one.fields);
        BOOST_TEST((field(made, "ETag") == etag) == (one.status != 412));
        BOOST_TEST(made.goes_on);
    }
}

BOOST_AUTO_TEST_CASE(how_the_connection_goes_on) {
    BOOST_TEST(field(get("Connection: close\r\n"), "Connection") == "close");
    BOOST_TEST(!get("Connection: close\r\n").goes_on);
    BOOST_TEST(!answer("GET / HTTP/1.0", "").goes_on);
    BOOST_TEST(field(answer("GET / HTTP/1.0", ""), "Connection") == "close");
    const file_answer kept = answer("GET / HTTP/1.0", "Connection: keep-alive\r\n");
    BOOST_TEST(kept.goes_on);
    BOOST_TEST(field(kept, "Connection") == "keep-alive");
    // Content is not read, so nothing can follow it.
    BOOST_TEST(!answer("POST / HTTP/1.1", "Content-Length: 5\r\n").goes_on);
    BOOST_TEST(!answer("POST / HTTP/1.1", "Transfer-Encoding: chunked\r\n").goes_on);
    BOOST_TEST(!get("Content-Length: 5\r\n").goes_on);
    BOOST_TEST(get("Content-Length: 0\r\n").goes_on);
}

BOOST_AUTO_TEST_CASE(what_was_not_heard_is_refused) {
    http_request request;
    for (const status heard :
         {status::bad_request, status::request_timeout, status::request_header_fields_too_large}) {
        const file_answer one = answer_to(request, heard, 100, version);
        BOOST_TEST(status_of(one) == static_cast<unsigned>(heard));
        BOOST_TEST(one.length == 0U);
        BOOST_TEST(!one.goes_on);
        BOOST_TEST(field(one, "Content-Length") == "0");
        BOOST_TEST(field(one, "Connection") == "close");
    }
    BOOST_TEST(field(refusal(status::service_unavailable), "Retry-After") == "1");
    BOOST_TEST(field(refusal(status::internal_server_error), "Retry-After") == "none");
}

BOOST_AUTO_TEST_CASE(statuses_of_failures) {
    const auto of = [](boost::system::error_code code) {
        return static_cast<unsigned>(leat::apps::status_of(code));
    };
    BOOST_TEST(of(leat::system_error_code(ENOENT)) == 404U);
    BOOST_TEST(of(leat::system_error_code(EACCES)) == 403U);
    BOOST_TEST(of(leat::system_error_code(EMFILE)) == 503U);
    BOOST_TEST(of(leat::system_error_code(EIO)) == 500U);
    BOOST_TEST(of(leat::errc::all_pinned) == 503U);
    BOOST_TEST(of(leat::errc::no_buffer) == 503U);
    BOOST_TEST(of(leat::errc::file_changed) == 503U);
    BOOST_TEST(of(leat::errc::short_read) == 500U);
    BOOST_TEST(of(boost::asio::error::eof) == 500U);
}

BOOST_AUTO_TEST_CASE(an_entity_tag_tells_versions_apart) {
    BOOST_TEST(etag.size() == 34U);
    BOOST_TEST(etag == etag_of(version));
    std::vector<std::string> tags{etag};
    for (unsigned member = 0; member < 6; ++member) {
        leat::file_version other = version;
        if (member == 0) ++other.device;
        if (member == 1) ++other.inode;
        if (member == 2) ++other.size;
        if (member == 3) ++other.modified_ns;
        if (member == 4) ++other.changed_ns;
        if (member == 5) ++other.instance;
        for (const std::string& one : tags) BOOST_TEST(etag_of(other) != one);
        tags.push_back(etag_of(other));
    }
}
