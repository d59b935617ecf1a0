// Content types by names.
#include "http/media_types.hpp"

#include "pattern.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <fstream>
#include <string>

BOOST_AUTO_TEST_SUITE(media_types_test)

using leat::http::media_types;

namespace {

constexpr const char* unknown = "application/octet-stream";

}  // namespace

BOOST_AUTO_TEST_CASE(those_of_the_program) {
    const media_types types;
    BOOST_TEST(types.of("a.html") == "text/html; charset=utf-8");
    BOOST_TEST(types.of("a.js") == "text/javascript; charset=utf-8");
    BOOST_TEST(types.of("a.png") == "image/png");
    BOOST_TEST(types.of("a.mp4") == "video/mp4");
    BOOST_TEST(types.of("a.wasm") == "application/wasm");
    BOOST_TEST(types.of("a.json") == "application/json");
    BOOST_TEST(types.of("a.tar.gz") == "application/gzip");
    BOOST_TEST(types.of("A.HTML") == "text/html; charset=utf-8");
    BOOST_TEST(types.of("/b.png/c.html") == "text/html; charset=utf-8");
}

BOOST_AUTO_TEST_CASE(names_without_a_type) {
    const media_types types;
    for (const std::string name : {"", "a", "html", "a.", ".", "..", "a.unheardof", "/b.html/c",
                                   "b.html/", "a.html ", "a.html.", "a.htm\xff"})
        BOOST_TEST(types.of(name) == unknown, name);
    BOOST_TEST(types.of("a." + std::string(1000, 'x')) == unknown);
    BOOST_TEST(types.of(".html") == "text/html; charset=utf-8");
}

BOOST_AUTO_TEST_CASE(those_of_a_text) {
    const media_types types{
        "# text/comment html\n"
        "a/one\tone ONE_MORE\n"
        "\n"
        "a/none\n"
        "a/twice one two   three # four\r\n"
        "text/five five\r\n"
        "no-slash bad\n"
        "a/b/c bad\n"
        "a/\"b bad\n"
        "/a bad\n"
        "a/ bad\n"
        "x/html html"};
    BOOST_TEST(types.of("a.one") == "a/one");  // the first one counts
    BOOST_TEST(types.of("a.one_more") == "a/one");
    BOOST_TEST(types.of("a.two") == "a/twice");
    BOOST_TEST(types.of("a.three") == "a/twice");
    BOOST_TEST(types.of("a.four") == unknown);
    BOOST_TEST(types.of("a.five") == "text/five; charset=utf-8");
    BOOST_TEST(types.of("a.bad") == unknown);
    BOOST_TEST(types.of("a.html") == "x/html");
    BOOST_TEST(types.of("a.png") == "image/png");  // of the program
}

BOOST_AUTO_TEST_CASE(those_of_a_file) {
    const leat::test::temporary_folder folder;
    const std::string name = folder.path("types");
    std::ofstream{name} << "a/file file\n";
    const media_types types = media_types::read(name);
    std::remove(name.c_str());
    BOOST_TEST(types.of("a.file") == "a/file");
    BOOST_TEST(types.of("a.png") == "image/png");
    const media_types none = media_types::read(name);
    BOOST_TEST(none.of("a.file") == unknown);
    BOOST_TEST(none.of("a.png") == "image/png");
}

BOOST_AUTO_TEST_SUITE_END()
