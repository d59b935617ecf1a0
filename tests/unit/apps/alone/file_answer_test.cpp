// Requests for a file and their answers, from the bytes of one to the bytes of the other.
#include "http/file_answer.hpp"

#include "http/request_parser.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

using namespace leat::http;
using namespace std::chrono_literals;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_A_SANITIZER  // which brings its own allocator
#endif
#endif

namespace {

constexpr sys_seconds modified{784111777s};
constexpr sys_seconds now = modified + 24h;
const std::string etag = "\"0123456789abcdef\"";

constexpr file_facts hundred{.size = 100,
                             .file = {{0x0123456789abcdef, false}, modified},
                             .content_type = "text/plain; charset=utf-8"};

// An answer with what it refers to.
struct answered {
    std::string text;
    std::array<char, 4096> buffer;
    file_answer made;

    explicit answered(std::string request,
                      const file_facts& facts = hundred,
                      const answer_options& options = {})
        : text(std::move(request)) {
        request_parser parser;
        BOOST_TEST_REQUIRE((parser.parse(text).is == request_parser::state::complete), text);
        made = answer_file(parser.head(), facts, options, now, buffer);
        BOOST_TEST(made.head.starts_with("HTTP/1.1 " + std::to_string(code_of(made.code)) + ' '));
        BOOST_TEST(made.head.find("\r\n\r\n") != std::string_view::npos);
    }
    answered(const answered&) = delete;

    [[nodiscard]] unsigned status() const { return code_of(made.code); }
    // What stands behind the fields.
    [[nodiscard]] std::string content() const {
        return std::string{made.head.substr(made.head.find("\r\n\r\n") + 4)};
    }
    // A field's value, or "none"; what is there twice is an error.
    [[nodiscard]] std::string field(std::string_view name) const {
        const std::string_view head = made.head.substr(0, made.head.find("\r\n\r\n") + 2);
        const std::string begin = "\r\n" + std::string{name} + ": ";
        const std::size_t at = head.find(begin);
        if (at == head.npos) return "none";
        BOOST_TEST((head.find(begin, at + 1) == head.npos), name);
        const std::size_t value = at + begin.size();
        return std::string{head.substr(value, head.find("\r\n", value) - value)};
    }
};

std::string request(std::string_view first_line, std::string_view fields) {
    return std::string{first_line} + "\r\nHost: a\r\n" + std::string{fields} + "\r\n";
}

std::string get(std::string_view fields) {
    return request("GET / HTTP/1.1", fields);
}

std::string repeated(std::string_view text, unsigned times) {
    std::string all;
    for (; times > 0; --times) all += text;
    return all;
}

// "FIRST+LENGTH ..." of the parts.
std::string parts_of(const file_answer& answer) {
    std::string text;
    for (const byte_range& one : answer.parts) {
        if (!text.empty()) text += ' ';
        text += std::to_string(one.first) + '+' + std::to_string(one.length);
    }
    return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_whole_file) {
    const answered one{get("")};
    BOOST_TEST(one.made.head ==
               "HTTP/1.1 200 OK\r\nDate: Mon, 07 Nov 1994 08:49:37 GMT\r\n"
               "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 100\r\n"
               "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"0123456789abcdef\"\r\n"
               "Accept-Ranges: bytes\r\nX-Content-Type-Options: nosniff\r\n\r\n");
    BOOST_TEST(parts_of(one.made) == "0+100");
    BOOST_TEST(one.made.content_length == 100U);
    BOOST_TEST(one.made.keep_alive);
    BOOST_TEST(!one.made.multipart());
}

BOOST_AUTO_TEST_CASE(one_range) {
    struct row {
        std::string range;
        unsigned status;
        std::string parts, content_range;
    };
    const std::vector<row> rows{
        {"bytes=0-", 206, "0+100", "bytes 0-99/100"},
        {"bytes=5-9", 206, "5+5", "bytes 5-9/100"},
        {"bytes=-1000", 206, "0+100", "bytes 0-99/100"},
        {"bytes=99-18446744073709551616", 206, "99+1", "bytes 99-99/100"},
        {"bytes=100-", 416, "", "bytes */100"},
        {"bytes=18446744073709551616-", 416, "", "bytes */100"},
        {"bytes=200-,300-", 416, "", "bytes */100"},
        {"bytes=9-5", 200, "0+100", "none"},
        {"pages=0-", 200, "0+100", "none"},
        {"", 200, "0+100", "none"},
        // Several that are one.
        {"bytes=5-9,10-14", 206, "5+10", "bytes 5-14/100"},
        {"bytes=8-20,5-9", 206, "5+16", "bytes 5-20/100"},
        {"bytes=5-9,1000-", 206, "5+5", "bytes 5-9/100"},
        {"bytes=0-0,1-1,2-", 206, "0+100", "bytes 0-99/100"},
        {"bytes=" + repeated("1-1,", 65), 200, "0+100", "none"},
    };
    for (const row& one : rows) {
        BOOST_TEST_INFO_SCOPE(one.range);
        const answered made{get("Range: " + one.range + "\r\n")};
        BOOST_TEST(made.status() == one.status);
        BOOST_TEST(parts_of(made.made) == one.parts);
        BOOST_TEST(made.field("Content-Range") == one.content_range);
        BOOST_TEST(made.field("Content-Length") == std::to_string(made.made.parts.empty()
                                                                      ? made.content().size()
                                                                      : made.made.content_length));
        BOOST_TEST((made.field("Accept-Ranges") == "bytes") == (one.status != 416));
        BOOST_TEST((made.field("ETag") == etag) == (one.status != 416));
        BOOST_TEST(made.made.keep_alive);
    }
    BOOST_TEST(answered{get("Range: bytes=1-2\r\nRange: bytes=3-4\r\n")}.status() == 200U);
}

BOOST_AUTO_TEST_CASE(several_ranges) {
    const answered one{get("Range: bytes=90-,0-1,5-9\r\n")};
    BOOST_TEST(one.status() == 206U);
    BOOST_TEST_REQUIRE(parts_of(one.made) == "90+10 0+2 5+5");  // in the order of the request
    const std::string boundary{one.made.boundary.view()};
    BOOST_TEST(one.field("Content-Type") == "multipart/byteranges; boundary=" + boundary);
    BOOST_TEST(one.field("Content-Range") == "none");
    // All of it, as a server sends it.
    std::string content = one.content() + std::string(10, 'x');
    std::array<char, 512> buffer;
    for (const std::size_t part : {1U, 2U}) {
        content += one.made.part_head(part, buffer);
        content.append(one.made.parts[part].length, 'x');
    }
    content += one.made.end(buffer);
    BOOST_TEST(one.field("Content-Length") == std::to_string(content.size()));
    BOOST_TEST(one.made.content_length == content.size());
    const auto part = [&](std::string_view range, std::size_t length) {
        return "--" + boundary +
               "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes " +
               std::string{range} + "/100\r\n\r\n" + std::string(length, 'x') + "\r\n";
    };
    BOOST_TEST(content ==
               part("90-99", 10) + part("0-1", 2) + part("5-9", 5) + "--" + boundary + "--\r\n");
    const answered other{get("Range: bytes=90-,0-1\r\n")};
    BOOST_TEST((other.made.boundary.view() != one.made.boundary.view()));
}

BOOST_AUTO_TEST_CASE(as_many_ranges_as_the_server_says) {
    const std::string three = get("Range: bytes=0-0,2-2,4-4\r\n");
    BOOST_TEST(answered(three, hundred, {.extra_fields = {}, .most_ranges = 2}).status() == 200U);
    BOOST_TEST(answered(three, hundred, {.extra_fields = {}, .most_ranges = 3}).status() == 206U);
}

BOOST_AUTO_TEST_CASE(an_empty_file) {
    file_facts empty = hundred;
    empty.size = 0;
    for (const std::string fields : {"", "Range: bytes=-5\r\n", "Range: bytes=x\r\n"}) {
        const answered one{get(fields), empty};
        BOOST_TEST(one.status() == 200U);
        BOOST_TEST(one.made.parts.size() == 0U);
        BOOST_TEST(one.field("Content-Length") == "0");
    }
    const answered none{get("Range: bytes=0-\r\n"), empty};
    BOOST_TEST(none.status() == 416U);
    BOOST_TEST(none.field("Content-Range") == "bytes */0");
}

BOOST_AUTO_TEST_CASE(a_head_is_that_of_the_whole_file_without_content) {
    const answered one{request("HEAD / HTTP/1.1", "Range: bytes=5-9\r\n")};
    BOOST_TEST(one.made.head == answered{get("")}.made.head);
    BOOST_TEST(one.made.parts.size() == 0U);
    BOOST_TEST(one.made.keep_alive);
    const answered failed{request("HEAD / HTTP/1.1", "If-Match: \"x\"\r\n")};
    BOOST_TEST(failed.status() == 412U);
    BOOST_TEST(failed.content() == "");
    BOOST_TEST(failed.field("Content-Length") == "24");
}

BOOST_AUTO_TEST_CASE(methods) {
    for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS", "CONNECT"}) {
        const answered one{request(method + " / HTTP/1.1", "If-None-Match: *\r\n")};
        BOOST_TEST(one.status() == 405U, method);
        BOOST_TEST(one.field("Allow") == "GET, HEAD");
        BOOST_TEST(one.made.parts.empty());
        BOOST_TEST(one.made.keep_alive);
    }
    for (const std::string method : {"get", "FETCH"}) {
        const answered one{request(method + " / HTTP/1.1", "")};
        BOOST_TEST(one.status() == 501U, method);
        BOOST_TEST(one.field("Allow") == "none");
        BOOST_TEST(one.made.parts.empty());
    }
    const answered content{request("POST / HTTP/1.1", "Content-Length: 5\r\n")};
    BOOST_TEST(content.field("Connection") == "close");
}

BOOST_AUTO_TEST_CASE(conditions) {
    struct row {
        std::string fields;
        unsigned status;
    };
    const std::vector<row> rows{
        {"If-None-Match: " + etag, 304},
        {"If-None-Match: \"other\"\r\nIf-None-Match: W/" + etag, 304},
        {"If-None-Match: \"other\"", 200},
        {"If-Match: \"other\"", 412},
        {"If-Match: " + etag, 200},
        {"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 304},
        {"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 412},
        {"If-None-Match: " + etag + "\r\nRange: bytes=200-", 304},
        {"If-Match: \"other\"\r\nRange: bytes=200-", 412},
        {"If-Range: " + etag + "\r\nRange: bytes=1-2", 206},
        {"If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\nRange: bytes=1-2", 206},
        {"If-Range: \"other\"\r\nRange: bytes=1-2", 200},
        // Not even 416: the range is another version's.
        {"If-Range: \"other\"\r\nRange: bytes=200-", 200},
        {"If-Range: " + etag + "\r\nIf-Range: " + etag + "\r\nRange: bytes=1-2", 200},
    };
    for (const row& one : rows) {
        BOOST_TEST_INFO_SCOPE(one.fields);
        const answered made{get(one.fields + "\r\n")};
        BOOST_TEST(made.status() == one.status);
        BOOST_TEST((made.field("ETag") == etag) == (one.status != 412));
        BOOST_TEST(made.made.parts.empty() == (one.status > 300));
        BOOST_TEST(made.made.keep_alive);
    }
}

BOOST_AUTO_TEST_CASE(what_has_not_changed_is_told_in_few_fields) {
    file_facts facts = hundred;
    facts.cache_status = "leat; hit";
    const answered one{
        get("If-None-Match: *\r\n"), facts, {.extra_fields = "Cache-Control: no-cache\r\n"}};
    BOOST_TEST(one.made.head ==
               "HTTP/1.1 304 Not Modified\r\nDate: Mon, 07 Nov 1994 08:49:37 GMT\r\n"
               "ETag: \"0123456789abcdef\"\r\nCache-Status: leat; hit\r\n"
               "Cache-Control: no-cache\r\n\r\n");
    BOOST_TEST(one.made.content_length == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_told_of_the_file) {
    file_facts facts = hundred;
    facts.file = {{1, true}, now + 1h};
    facts.content_type = "";
    facts.cache_status = "leat; fwd=uri-miss";
    const answered one{get(""), facts, {.extra_fields = "A: b\r\nC: d\r\n", .nosniff = false}};
    BOOST_TEST(one.field("ETag") == "W/\"0000000000000001\"");
    BOOST_TEST(one.field("Last-Modified") == one.field("Date"));  // never in the future
    BOOST_TEST(one.field("Content-Type") == "none");
    BOOST_TEST(one.field("Cache-Status") == "leat; fwd=uri-miss");
    BOOST_TEST(one.field("A") == "b");
    BOOST_TEST(one.field("C") == "d");
    BOOST_TEST(one.field("X-Content-Type-Options") == "none");
    // Errors are of other content than what the fields are meant for.
    const answered failed{get("Range: bytes=100-\r\n"), hundred, {.extra_fields = "A: b\r\n"}};
    BOOST_TEST(failed.field("A") == "none");
    BOOST_TEST(failed.content() == "416 Range Not Satisfiable\n");
    BOOST_TEST(failed.field("Content-Type") == "text/plain; charset=utf-8");
}

BOOST_AUTO_TEST_CASE(fields_that_were_prepared_are_those_that_are_made_anew) {
    const auto lines = [](const answered& of) {
        std::string_view head = of.made.head.substr(0, of.made.head.find("\r\n\r\n") + 2);
        std::vector<std::string> all;
        for (std::size_t end = head.find("\r\n"); end != head.npos; end = head.find("\r\n")) {
            all.emplace_back(head.substr(0, end));
            head.remove_prefix(end + 2);
        }
        std::sort(all.begin(), all.end());
        return all;
    };
    const std::string prepared = prepare_fields(hundred, {}, now);
    BOOST_TEST(!prepared.empty());
    file_facts facts = hundred;
    facts.prepared = prepared;
    for (const std::string& one :
         {get(""), get("Range: bytes=1-2\r\n"), request("HEAD / HTTP/1.1", ""),
          get("If-None-Match: " + etag + "\r\n"), get("Range: bytes=100-\r\n")})
        BOOST_TEST(lines(answered{one, facts}) == lines(answered{one}),
                   boost::test_tools::per_element());
    // A time to come would be told as the present one of then.
    BOOST_TEST(prepare_fields(hundred, {}, modified - 1s).empty());
}

BOOST_AUTO_TEST_CASE(how_the_connection_goes_on) {
    const auto connection = [](const std::string& text) {
        return answered{text}.field("Connection");
    };
    BOOST_TEST(connection(get("")) == "none");
    BOOST_TEST(connection(get("Connection: close\r\n")) == "close");
    BOOST_TEST(!answered{get("Connection: close\r\n")}.made.keep_alive);
    BOOST_TEST(connection(request("GET / HTTP/1.0", "")) == "close");
    BOOST_TEST(connection(request("GET / HTTP/1.0", "Connection: keep-alive\r\n")) == "keep-alive");
    // Content that nobody has read.
    BOOST_TEST(!answered{get("Content-Length: 5\r\n")}.made.keep_alive);
    BOOST_TEST(!answered{get("Transfer-Encoding: chunked\r\n")}.made.keep_alive);
    BOOST_TEST(answered{get("Content-Length: 0\r\n")}.made.keep_alive);
    BOOST_TEST(!answered{get("Connection: close\r\nIf-None-Match: *\r\n")}.made.keep_alive);
    BOOST_TEST(!answered{get("Connection: close\r\nRange: bytes=100-\r\n")}.made.keep_alive);
}

BOOST_AUTO_TEST_CASE(a_buffer_that_is_too_small_gives_no_head) {
    for (const std::string& text :
         {get(""), get("Range: bytes=0-1\r\n"), get("Range: bytes=0-1,5-9\r\n"),
          get("Range: bytes=100-\r\n"), get("If-None-Match: *\r\n")}) {
        const std::size_t needed = answered{text}.made.head.size();
        request_parser parser;
        BOOST_TEST_REQUIRE((parser.parse(text).is == request_parser::state::complete));
        for (std::size_t size = 0; size <= needed; ++size) {
            std::string buffer(size + 1, '#');
            const file_answer made =
                answer_file(parser.head(), hundred, {}, now, {buffer.data(), size});
            BOOST_TEST(made.head.size() == (size == needed ? needed : 0));
            BOOST_TEST(buffer.back() == '#');
        }
    }
}

BOOST_AUTO_TEST_CASE(the_least_buffer_holds_the_largest_head) {
    file_facts facts{.size = ~std::uint64_t{0}, .file = {{0, true}, sys_seconds{}}};
    std::array<char, least_buffer> buffer;
    for (const std::string& text :
         {request("GET / HTTP/1.0", "Connection: keep-alive\r\n"),
          request("GET / HTTP/1.0", "Range: bytes=9999999999999999999-,1-1\r\n"),
          request("GET / HTTP/1.0", "Range: bytes=18446744073709551615-\r\n")}) {
        request_parser parser;
        BOOST_TEST_REQUIRE((parser.parse(text).is == request_parser::state::complete));
        BOOST_TEST(!answer_file(parser.head(), facts, {}, now, buffer).head.empty());
    }
}

#ifndef UNDER_A_SANITIZER
namespace {
std::size_t allocations = 0;
}
// Counted, to see that there are none.
[[gnu::noinline]] void* operator new(std::size_t size) {
    ++allocations;
    if (void* const made = std::malloc(size)) return made;
    throw std::bad_alloc{};
}
[[gnu::noinline]] void operator delete(void* given) noexcept {
    std::free(given);
}
[[gnu::noinline]] void operator delete(void* given, std::size_t) noexcept {
    std::free(given);
}

BOOST_AUTO_TEST_CASE(a_warm_request_allocates_nothing) {
    const std::string text =
        get("User-Agent: curl/8.0\r\nAccept: */*\r\nRange: bytes=0-1,5-6,90-\r\n"
            "If-Range: \"0123456789abcdef\"\r\nIf-Modified-Since: Sun, 06 Nov 1990 08:49:37 GMT\r\n"
            "Accept-Encoding: gzip\r\nConnection: keep-alive\r\n");
    std::array<char, 4096> buffer;
    request_parser parser;
    for (const unsigned repetition : {0U, 1U, 2U}) {
        const std::size_t before = allocations;
        const auto half = parser.parse(std::string_view{text}.substr(0, 40));
        const auto said = parser.parse(text);
        const file_answer made = answer_file(parser.head(), hundred, {}, now, buffer);
        const std::string_view end = made.end(buffer);
        const std::size_t after = allocations;
        BOOST_TEST((half.is == request_parser::state::more));
        BOOST_TEST((said.is == request_parser::state::complete));
        BOOST_TEST(made.parts.size() == 3U);
        BOOST_TEST(!end.empty());
        if (repetition > 0) BOOST_TEST(after == before);
    }
    BOOST_TEST(allocations > 0U);  // they are counted
}
#endif
