// Who may ask at the administrator's address.
#include "admin/admin_access.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(admin_access_test)

using leat::http::request_head;
using leat::http::request_method;
using leat::http::status;
using leat::serve::judge_access;

namespace {

unsigned judged(std::string_view host, std::string_view self) {
    request_head head;
    head.method = request_method::get;
    head.host = host;
    return code_of(judge_access(head, self));
}

unsigned posted(std::string_view host, std::string_view origin, std::string_view permission) {
    request_head head;
    head.method = request_method::post;
    head.host = host;
    head.origin = origin;
    head.leat_admin = permission;
    return code_of(judge_access(head, "127.0.0.1:8081"));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_host_is_the_address_itself) {
    BOOST_TEST(judged("127.0.0.1:8081", "127.0.0.1:8081") == 200u);
    BOOST_TEST(judged("[::1]:8081", "[::1]:8081") == 200u);
    BOOST_TEST(judged("10.0.0.7:8081", "10.0.0.7:8081") == 200u);
    for (const char* const other :
         {"", "127.0.0.1", "127.0.0.1:80", "127.0.0.2:8081", "rebound.example:8081", "localhost"})
        BOOST_TEST(judged(other, "127.0.0.1:8081") == 421u, other);
}

BOOST_AUTO_TEST_CASE(localhost_is_the_loopback_only) {
    BOOST_TEST(judged("localhost:8081", "127.0.0.1:8081") == 200u);
    BOOST_TEST(judged("LocalHost:8081", "[::1]:8081") == 200u);
    BOOST_TEST(judged("localhost:8081", "10.0.0.7:8081") == 421u);
    BOOST_TEST(judged("localhost:8082", "127.0.0.1:8081") == 421u);
}

BOOST_AUTO_TEST_CASE(port_80_need_not_be_said) {
    BOOST_TEST(judged("10.0.0.7", "10.0.0.7:80") == 200u);
    BOOST_TEST(judged("10.0.0.7:80", "10.0.0.7:80") == 200u);
    BOOST_TEST(judged("10.0.0.7", "10.0.0.7:8080") == 421u);
    BOOST_TEST(judged("localhost", "127.0.0.1:80") == 200u);
}

BOOST_AUTO_TEST_CASE(a_unix_path_has_no_host) {
    BOOST_TEST(judged("whatever", "") == 200u);
    BOOST_TEST(judged("", "") == 200u);
}

BOOST_AUTO_TEST_CASE(a_post_needs_its_field_and_no_other_origin) {
    const std::string_view host = "127.0.0.1:8081";
    BOOST_TEST(posted(host, {}, "1") == 200u);
    BOOST_TEST(posted(host, "http://127.0.0.1:8081", "1") == 200u);
    BOOST_TEST(posted("localhost:8081", "http://localhost:8081", "1") == 200u);
    BOOST_TEST(posted(host, {}, {}) == 403u);
    BOOST_TEST(posted(host, {}, "0") == 403u);
    // The last one is a field that came twice.
    for (const char* const other : {"null", "http://evil.example", "https://127.0.0.1:8081",
                                    "http://127.0.0.1", "http://localhost:8081", ""})
        BOOST_TEST(posted(host, other, "1") == 403u, other);
    BOOST_TEST(posted("evil.example", "http://evil.example", "1") == 421u);
}

BOOST_AUTO_TEST_SUITE_END()
