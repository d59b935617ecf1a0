// Targets of requests and the paths they lead to: a table of right answers.
#include "http/target_path.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <string>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(target_path_test)

using namespace leat::http;
using namespace std::string_literals;

namespace {

// The path with "/" before it, and one behind it if it must be a folder; or the refusal's number.
std::string answer(std::string_view target, bool dotfiles = false) {
    // As long as the target: that suffices.
    std::string buffer(target.size(), '#');
    const target_path found = read_target(target, {buffer.data(), buffer.size()}, dotfiles);
    if (found.refusal != status::ok) return std::to_string(code_of(found.refusal));
    return "/" + std::string{found.path} + (found.folder && !found.path.empty() ? "/" : "");
}

struct row {
    std::string target, answer;
};

std::vector<row> legal() {
    return {
        {"/", "/"},
        {"/a", "/a"},
        {"/a/", "/a/"},
        {"/a/b.txt", "/a/b.txt"},
        {"/a?", "/a"},
        {"/a?b=c&d", "/a"},
        {"/a?/../..", "/a"},
        {"/?a", "/"},
        {"//", "/"},
        {"///a", "/a"},
        {"//a//b//", "/a/b/"},
        {"//host/path", "/host/path"},
        {"/.", "/"},
        {"/./", "/"},
        {"/./a/./b/.", "/a/b/"},
        {"/a/..", "/"},
        {"/a/../", "/"},
        {"/a/../b", "/b"},
        {"/a/b/../../c", "/c"},
        {"/a/b/..", "/a/"},
        {"/a/b/c/../d/./../e", "/a/b/e"},
        {"/a//../b", "/b"},
        {"/%61", "/a"},
        {"/%41%5a%7E", "/AZ~"},
        {"/a%20b", "/a b"},
        {"/a%3fb", "/a?b"},
        {"/a%23b", "/a#b"},
        {"/a%25b", "/a%b"},
        {"/%2561", "/%61"},
        {"/%252e%252e/a", "/%2e%2e/a"},
        {"/a/%2e%2e/b", "/b"},
        {"/a/.%2e/b", "/b"},
        {"/a/%2E./b", "/b"},
        {"/a/%2e/b", "/a/b"},
        {"/a/%2e", "/a/"},
        {"/a...", "/a..."},
        {"/a..b/c.", "/a..b/c."},
        {"/caf\xc3\xa9", "/caf\xc3\xa9"},
        {"/caf%c3%a9", "/caf\xc3\xa9"},
        {"/%ff", "/\xff"},
        {"/%c0%ae%c0%ae/a", "/\xc0\xae\xc0\xae/a"},  // "..", overlong: bytes like others
        {"/a\\b", "/a\\b"},
        {"/a\\..\\..\\b", "/a\\..\\..\\b"},
        {"/\\host", "/\\host"},
        {"/%5chost", "/\\host"},
        {"/%0d%0aX:%20y", "/\r\nX: y"},
        {"/%0a", "/\n"},
        {"/a;b=c", "/a;b=c"},
        {"/a+b", "/a+b"},
        {"/a:b@c", "/a:b@c"},
        {"/\"<>^`{|}", "/\"<>^`{|}"},
        {"/http://a/b", "/http:/a/b"},
        // Of the absolute form.
        {"http://host", "/"},
        {"http://host/", "/"},
        {"http://host?a", "/"},
        {"http://host:80/a/b?c", "/a/b"},
        {"HTTP://host/a", "/a"},
        {"https://host/a", "/a"},
        {"http://[::1]:8080/a", "/a"},
        {"http://host//a", "/a"},
        {"http://host/a/../b", "/b"},
    };
}

std::vector<row> refused() {
    return {
        // Out of the root, in every spelling.
        {"/..", "400"},
        {"/../", "400"},
        {"/../a", "400"},
        {"/../../etc/passwd", "400"},
        {"/a/../..", "400"},
        {"/a/../../b", "400"},
        {"/./..", "400"},
        {"//..", "400"},
        {"//../a", "400"},
        {"/%2e%2e", "400"},
        {"/%2e%2e/a", "400"},
        {"/%2E%2E/a", "400"},
        {"/.%2e/a", "400"},
        {"/%2e./a", "400"},
        {"/a/%2e%2e/%2e%2e/b", "400"},
        {"/a/../../a/b", "400"},  // also where it leads back
        {"/../a/../../b", "400"},
        {"http://host/..", "400"},
        {"http://host/../a", "400"},
        // A slash in a name.
        {"/..%2f", "404"},
        {"/..%2fa", "404"},
        {"/..%2F..%2Fetc/passwd", "404"},
        {"/%2e%2e%2fa", "404"},
        {"/a%2fb", "404"},
        {"/a%2F", "404"},
        {"/%2f", "404"},
        {"/%2f%2fhost", "404"},
        {"/a/..%2f../b", "404"},
        // Escapes.
        {"/%", "400"},
        {"/%4", "400"},
        {"/a%", "400"},
        {"/a%4", "400"},
        {"/%zz", "400"},
        {"/%4z", "400"},
        {"/%z4", "400"},
        {"/% 1", "400"},
        {"/%%41", "400"},
        {"/%-1", "400"},
        {"/%+1", "400"},
        {"/%0x", "400"},
        {"/%u0041", "400"},
        {"/%4/1", "400"},
        {"/%00", "400"},
        {"/a%00", "400"},
        {"/a%00.txt", "400"},
        {"/%00/../a", "400"},
        // What no target has.
        {"", "400"},
        {"a", "400"},
        {"a/b", "400"},
        {"?a", "400"},
        {"..", "400"},
        {"../a", "400"},
        {"\\a", "400"},
        {"/a b", "400"},
        {"/a\tb", "400"},
        {"/a\rb", "400"},
        {"/a\nb", "400"},
        {"/a\0b"s, "400"},
        {"/a\x7f", "400"},
        {"/a#b", "400"},
        {"/a?b#c", "400"},
        {"/a?b c", "400"},
        // Other forms.
        {"*", "400"},
        {"**", "400"},
        {"host:443", "400"},
        {"host", "400"},
        {"http:", "400"},
        {"http:/a", "400"},
        {"http:a", "400"},
        {"http://", "400"},
        {"http:///a", "400"},
        {"http://:80/a", "400"},
        {"http://user@host/a", "400"},
        {"http://user:word@host/a", "400"},
        {"http://ho st/a", "400"},
        {"http://host:x/a", "400"},
        {"http://host\\a/b", "400"},
        {"http://[::1/a", "400"},
        {"ftp://host/a", "400"},
        {"file:///etc/passwd", "400"},
        {"javascript:alert(1)", "400"},
        // Names with a dot.
        {"/.git", "404"},
        {"/.git/config", "404"},
        {"/a/.htpasswd", "404"},
        {"/a/.b/", "404"},
        {"/%2egit", "404"},
        {"/%2Egit/config", "404"},
        {"/a/%2eb", "404"},
        {"/...", "404"},
        {"/..a", "404"},
        {"//.git", "404"},
        {"/./.git", "404"},
        {"/a/../.git", "404"},
        {"http://host/.git", "404"},
    };
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_table) {
    for (const row& one : legal()) BOOST_TEST(answer(one.target) == one.answer, one.target);
    for (const row& one : refused()) BOOST_TEST(answer(one.target) == one.answer, one.target);
}

BOOST_AUTO_TEST_CASE(names_with_a_dot_where_they_are_wanted) {
    BOOST_TEST(answer("/.git/config", true) == "/.git/config");
    BOOST_TEST(answer("/...", true) == "/...");
    BOOST_TEST(answer("/%2egit", true) == "/.git");
    BOOST_TEST(answer("/..", true) == "400");
    BOOST_TEST(answer("/a/%2e%2e/..", true) == "400");
    // One that was left again names nothing.
    BOOST_TEST(answer("/.a/../b") == "/b");
}

BOOST_AUTO_TEST_CASE(the_other_parts) {
    std::array<char, 100> buffer;
    const target_path origin = read_target("/a/?b?c=/d", buffer, false);
    BOOST_TEST((origin.written == target_path::form::origin));
    BOOST_TEST(origin.query == "?b?c=/d");
    BOOST_TEST(origin.host == "");
    BOOST_TEST(origin.folder);
    const target_path absolute = read_target("http://h:8/a", buffer, false);
    BOOST_TEST((absolute.written == target_path::form::absolute));
    BOOST_TEST(absolute.host == "h:8");
    BOOST_TEST(absolute.query == "");
    BOOST_TEST(!absolute.folder);
    BOOST_TEST((read_target("*", buffer, false).written == target_path::form::asterisk));
    BOOST_TEST((read_target("h:443", buffer, false).written == target_path::form::authority));
    const target_path root = read_target("/", buffer, false);
    BOOST_TEST(root.folder);
    BOOST_TEST(root.path == "");
}

BOOST_AUTO_TEST_CASE(a_path_that_has_no_room) {
    std::array<char, 8> buffer;
    BOOST_TEST((read_target("/12345678", buffer, false).refusal == status::ok));
    BOOST_TEST((read_target("/123456789", buffer, false).refusal == status::uri_too_long));
    BOOST_TEST((read_target("/1234567/9", buffer, false).refusal == status::uri_too_long));
    BOOST_TEST((read_target("/12345678/", buffer, false).refusal == status::uri_too_long));
    BOOST_TEST((read_target("/%31%32%33%34%35%36%37%38", buffer, false).refusal == status::ok));
    BOOST_TEST((read_target("/", {}, false).refusal == status::ok));
    BOOST_TEST((read_target("/a", {}, false).refusal == status::uri_too_long));
}

BOOST_AUTO_TEST_CASE(where_a_folder_lies) {
    const auto location = [](std::string_view target) {
        std::string path(target.size(), '#');
        std::array<char, 200> buffer;
        const target_path asked = read_target(target, {path.data(), path.size()}, false);
        BOOST_TEST_REQUIRE((asked.refusal == status::ok), target);
        return std::string{folder_location(asked, buffer)};
    };
    BOOST_TEST(location("/a") == "/a/");
    BOOST_TEST(location("/a/b?c=d") == "/a/b/?c=d");
    BOOST_TEST(location("//host") == "/host/");
    BOOST_TEST(location("///host/a") == "/host/a/");
    BOOST_TEST(location("/\\host") == "/%5Chost/");
    BOOST_TEST(location("/%5c%5chost") == "/%5C%5Chost/");
    BOOST_TEST(location("/./a/../host") == "/host/");
    BOOST_TEST(location("//host/..//x") == "/x/");
    BOOST_TEST(location("/a%20b%c3%a9") == "/a%20b%C3%A9/");
    BOOST_TEST(location("/a%0d%0aX:y") == "/a%0D%0AX%3Ay/");
    BOOST_TEST(location("/a?\"<\\>\xc3%22") == "/a/?%22%3C%5C%3E%C3%22");
    BOOST_TEST(location("http://host/a") == "/a/");
    BOOST_TEST(location("/http://host") == "/http%3A/host/");
    BOOST_TEST(location("/") == "/");
}

BOOST_AUTO_TEST_CASE(what_is_escaped_has_room_or_is_nothing) {
    std::array<char, 9> buffer;
    BOOST_TEST(encode_path("a/b-._~9", buffer) == "a/b-._~9");
    BOOST_TEST(encode_path("%%%", buffer) == "%25%25%25");
    BOOST_TEST(encode_path("%%%%", buffer) == "");
    BOOST_TEST(encode_path("1234567890", buffer) == "");
    BOOST_TEST(encode_path("%%a%", buffer) == "");
    const target_path asked{.path = "1234567"};
    BOOST_TEST(folder_location(asked, buffer) == "/1234567/");
    const target_path longer{.path = "12345678"};
    BOOST_TEST(folder_location(longer, buffer) == "");
}

BOOST_AUTO_TEST_SUITE_END()
