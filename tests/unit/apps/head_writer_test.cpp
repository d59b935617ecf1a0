// Heads of answers as they are written, and buffers that are too small for them.
#include "http/head_writer.hpp"

#include "http/extra_fields.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <string>

BOOST_AUTO_TEST_SUITE(head_writer_test)

using namespace leat::http;

namespace {

constexpr std::uint64_t most = ~std::uint64_t{0};

std::string_view write(head_writer& head) {
    head.begin_answer(status::partial_content, sys_seconds{});
    head.field("A", "b c");
    head.field("Content-Length", most);
    head.begin("Content-Range").text("bytes */").number(5).end();
    return head.finish();
}

const std::string expected =
    "HTTP/1.1 206 Partial Content\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nA: b c\r\n"
    "Content-Length: 18446744073709551615\r\nContent-Range: bytes */5\r\n\r\n";

}  // namespace

BOOST_AUTO_TEST_CASE(a_head) {
    std::array<char, 300> buffer;
    head_writer head{buffer};
    const std::string_view text = write(head);
    BOOST_TEST(text == expected);
    BOOST_TEST(static_cast<const void*>(text.data()) == buffer.data());
    BOOST_TEST(!head.overflowed());
    BOOST_TEST(head.rest().size() == buffer.size() - expected.size());
    head.append("content");
    BOOST_TEST(head.written() == expected + "content");
}

BOOST_AUTO_TEST_CASE(every_buffer_that_is_too_small) {
    for (std::size_t size = 0; size <= expected.size(); ++size) {
        std::string buffer(size + 10, '#');
        head_writer head{{buffer.data(), size}};
        const bool fits = size == expected.size();
        BOOST_TEST(write(head) == (fits ? expected : ""));
        BOOST_TEST(head.overflowed() == !fits);
        BOOST_TEST(buffer.substr(size) == "##########");
    }
}

BOOST_AUTO_TEST_CASE(how_the_connection_goes_on) {
    const auto line = [](unsigned minor, bool keep_alive) {
        std::array<char, 100> buffer;
        head_writer head{buffer};
        request_head request;
        request.minor_version = static_cast<std::uint8_t>(minor);
        head.connection(request, keep_alive);
        return std::string{head.written()};
    };
    BOOST_TEST(line(1, true) == "");
    BOOST_TEST(line(1, false) == "Connection: close\r\n");
    BOOST_TEST(line(0, true) == "Connection: keep-alive\r\n");
    BOOST_TEST(line(0, false) == "Connection: close\r\n");
}

#ifdef NDEBUG
BOOST_AUTO_TEST_CASE(a_value_is_one_line) {
    std::array<char, 100> buffer;
    head_writer head{buffer};
    head.field("A", std::string_view{"b\r\nX: c\0\x7f\t"
                                     "d",
                                     11});
    BOOST_TEST(head.written() == "A: b  X: c  \td\r\n");
}
#endif

BOOST_AUTO_TEST_CASE(fields_that_are_added) {
    extra_fields fields;
    BOOST_TEST(fields.text() == "");
    BOOST_TEST(fields.add("Cache-Control: max-age=3600") == "");
    BOOST_TEST(fields.add("Access-Control-Allow-Origin:*") == "");
    BOOST_TEST(fields.add("X:  a: \"b\" \t") == "");
    const std::string three =
        "Cache-Control: max-age=3600\r\nAccess-Control-Allow-Origin: *\r\nX: a: \"b\"\r\n";
    BOOST_TEST(fields.text() == three);
    for (const std::string line : {"",
                                   "X",
                                   ":",
                                   ": y",
                                   "X y: z",
                                   "X :y",
                                   " X: y",
                                   "X:",
                                   "X: ",
                                   "X: y\r\nZ: a",
                                   "X: y\nz",
                                   "X\r\n: y",
                                   "Content-Length: 5",
                                   "content-length: 5",
                                   "TRANSFER-ENCODING: chunked",
                                   "ETag: \"a\"",
                                   "Date: now",
                                   "Connection: close",
                                   "Content-Range: x",
                                   "Location: /"})
        BOOST_TEST(fields.add(line) != "", line);
    BOOST_TEST(fields.add(std::string{"X: \0", 4}) != "");
    BOOST_TEST(fields.text() == three);
}

BOOST_AUTO_TEST_CASE(statuses) {
    BOOST_TEST(code_of(status::range_not_satisfiable) == 416U);
    BOOST_TEST(reason_of(status::ok) == "OK");
    BOOST_TEST(reason_of(status::uri_too_long) == "URI Too Long");
    BOOST_TEST(reason_of(status::request_header_fields_too_large) ==
               "Request Header Fields Too Large");
}

BOOST_AUTO_TEST_SUITE_END()
