// Answers that no file's bytes follow.
#include "http/short_answer.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

BOOST_AUTO_TEST_SUITE(short_answer_test)

using namespace leat::http;

namespace {

constexpr sys_seconds now{};

request_head head_of(request_method method) {
    request_head head;
    head.method = method;
    head.keep_alive = true;
    return head;
}

const request_head get = head_of(request_method::get);

struct refused {
    std::array<char, 1024> buffer;
    short_answer made;
    refused(status code, const request_head& head, const refusal_facts& facts)
        : made(refuse(code, head, facts, now, buffer)) {}
    refused(const refused&) = delete;

    [[nodiscard]] bool has(std::string_view line) const {
        return made.bytes.find("\r\n" + std::string{line} + "\r\n") != made.bytes.npos;
    }
    [[nodiscard]] bool names(std::string_view field) const {
        return made.bytes.find("\r\n" + std::string{field} + ": ") != made.bytes.npos;
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(one_that_is_not_there) {
    const refused one{status::not_found, get, {}};
    BOOST_TEST(one.made.bytes ==
               "HTTP/1.1 404 Not Found\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
               "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n"
               "X-Content-Type-Options: nosniff\r\n\r\n404 Not Found\n");
    BOOST_TEST(one.made.keep_alive);
    const refused head{status::not_found, head_of(request_method::head), {}};
    const std::string_view all = one.made.bytes;
    BOOST_TEST(head.made.bytes == all.substr(0, all.find("\r\n\r\n") + 4));
}

BOOST_AUTO_TEST_CASE(what_each_status_tells) {
    const refusal_facts facts{.location = "/a/",
                              .allow = "GET, HEAD, OPTIONS",
                              .retry_after_s = 7,
                              .realm = "r",
                              .file_size = 100,
                              .extra_fields = "A: b\r\n",
                              .nosniff = false};
    const refused moved{status::moved_permanently, get, facts};
    BOOST_TEST(moved.has("Location: /a/"));
    BOOST_TEST(moved.has("A: b"));
    BOOST_TEST(!moved.names("X-Content-Type-Options"));
    for (const std::string_view other :
         {"Allow", "Retry-After", "WWW-Authenticate", "Content-Range"})
        BOOST_TEST(!moved.names(other), other);
    BOOST_TEST(refused(status::method_not_allowed, get, facts).has("Allow: GET, HEAD, OPTIONS"));
    BOOST_TEST(refused(status::method_not_allowed, get, {}).has("Allow: GET, HEAD"));
    BOOST_TEST(refused(status::service_unavailable, get, facts).has("Retry-After: 7"));
    BOOST_TEST(refused(status::unauthorized, get, facts)
                   .has("WWW-Authenticate: Basic realm=\"r\", charset=\"UTF-8\""));
    BOOST_TEST(
        refused(status::range_not_satisfiable, get, facts).has("Content-Range: bytes */100"));
    BOOST_TEST(!refused(status::range_not_satisfiable, get, {}).names("Content-Range"));
    BOOST_TEST(!refused(status::not_found, get, {}).names("Location"));
}

BOOST_AUTO_TEST_CASE(when_the_connection_ends) {
    BOOST_TEST(refused(status::not_found, get, {.close = true}).has("Connection: close"));
    BOOST_TEST(!refused(status::not_found, get, {.close = true}).made.keep_alive);
    // As the parser leaves the head of what it refuses.
    BOOST_TEST(refused(status::bad_request, {}, {}).has("Connection: close"));
    request_head post = head_of(request_method::post);
    BOOST_TEST(refused(status::method_not_allowed, post, {}).made.keep_alive);
    post.content = content_kind::sized;
    BOOST_TEST(!refused(status::method_not_allowed, post, {}).made.keep_alive);
    BOOST_TEST(refused(status::method_not_allowed, post, {}).has("Connection: close"));
    request_head old = get;
    old.minor_version = 0;
    BOOST_TEST(refused(status::not_found, old, {}).has("Connection: keep-alive"));
}

BOOST_AUTO_TEST_CASE(content_made_in_memory) {
    std::array<char, 1024> buffer;
    const short_answer one =
        answer_made("text/html", 1234, get, {.extra_fields = "A: b\r\n"}, now, buffer);
    BOOST_TEST(one.bytes ==
               "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
               "Content-Type: text/html\r\nContent-Length: 1234\r\nCache-Control: no-store\r\n"
               "X-Content-Type-Options: nosniff\r\nA: b\r\n\r\n");
    BOOST_TEST(one.keep_alive);
    const auto unmade = answer_made("text/html", {}, get, {}, now, buffer);
    BOOST_TEST(unmade.bytes.find("Content-Length") == std::string_view::npos);
    BOOST_TEST(!answer_made("a/b", 1, get, {.close = true}, now, buffer).keep_alive);
}

BOOST_AUTO_TEST_CASE(a_buffer_that_is_too_small_gives_nothing) {
    const std::size_t needed = refused{status::not_found, get, {}}.made.bytes.size();
    for (std::size_t size = 0; size <= needed; ++size) {
        std::string buffer(size + 1, '#');
        const auto made = refuse(status::not_found, get, {}, now, {buffer.data(), size});
        BOOST_TEST(made.bytes.size() == (size == needed ? needed : 0));
        BOOST_TEST(made.keep_alive == (size == needed));
        BOOST_TEST(buffer.back() == '#');
    }
    std::array<char, 20> small;
    BOOST_TEST(answer_made("a/b", 1, get, {}, now, small).bytes.empty());
    BOOST_TEST(!answer_made("a/b", 1, get, {}, now, small).keep_alive);
}

BOOST_AUTO_TEST_SUITE_END()
