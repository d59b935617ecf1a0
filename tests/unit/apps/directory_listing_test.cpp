// Listings of folders: order, escapes, sizes and times.
#include "http/directory_listing.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(directory_listing_test)

using namespace leat::http;
using namespace std::chrono_literals;

namespace {

// The rows of a page: one line each.
std::string rows_of(const std::string& page) {
    const std::size_t begin = page.find("</th></tr>\n") + 11;
    return page.substr(begin, page.find("</table>") - begin);
}

std::string row(const std::string& link, const std::string& name, const std::string& size) {
    return "<tr><td><a href=\"" + link + "\">" + name + "</a></td><td>" + size +
           "</td><td>1970-01-01 00:00</td></tr>\n";
}

std::string escaped(std::string_view text) {
    std::string html;
    append_escaped(html, text);
    return html;
}

std::string listed_size(std::uint64_t size) {
    const std::string rows =
        rows_of(directory_listing("", {{.name = "a", .size = size, .modified = {}}}));
    const std::size_t begin = rows.find("</a></td><td>") + 13;
    return rows.substr(begin, rows.find('<', begin) - begin);
}

}  // namespace

BOOST_AUTO_TEST_CASE(folders_come_first_each_kind_by_name) {
    const std::string page = directory_listing("", {{.name = "b", .size = 1, .modified = {}},
                                                    {.name = "z", .is_folder = true},
                                                    {.name = "B", .size = 2, .modified = {}},
                                                    {.name = "c", .is_folder = true},
                                                    {.name = "a", .size = 3, .modified = {}}});
    BOOST_TEST(rows_of(page) == row("c/", "c/", "") + row("z/", "z/", "") + row("B", "B", "2 B") +
                                    row("a", "a", "3 B") + row("b", "b", "1 B"));
    BOOST_TEST(page.find("<title>/</title>") != page.npos);
    BOOST_TEST(page.find("<h1>/</h1>") != page.npos);
    BOOST_TEST(page.starts_with("<!doctype html>"));
    BOOST_TEST(page.ends_with("</html>\n"));
    BOOST_TEST(page.find("color-scheme:light dark") != page.npos);
    BOOST_TEST(page.find("name=\"viewport\"") != page.npos);
}

BOOST_AUTO_TEST_CASE(a_folder_below_the_root_has_a_way_up) {
    const std::string page = directory_listing("a/<b>", {});
    BOOST_TEST(rows_of(page) == "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
    BOOST_TEST(page.find("<h1>/a/&lt;b&gt;/</h1>") != page.npos);
    BOOST_TEST(page.find("<b>") == page.npos);
    BOOST_TEST(rows_of(directory_listing("", {})) == "");
}

BOOST_AUTO_TEST_CASE(names_are_escaped) {
    const std::string page =
        directory_listing("", {{.name = "\"><script>alert('1')&amp;<|script>", .modified = {}},
                               {.name = "javascript:alert(1)", .modified = {}},
                               {.name = "a b%c?d#e\\\n", .is_folder = true}});
    BOOST_TEST(rows_of(page) ==
               row("a%20b%25c%3Fd%23e%5C%0A/", "a b%c?d#e\\\xef\xbf\xbd/", "") +
                   row("%22%3E%3Cscript%3Ealert%28%271%27%29%26amp%3B%3C%7Cscript%3E",
                       "&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&amp;amp;&lt;|script&gt;",
                       "0 B") +
                   row("javascript%3Aalert%281%29", "javascript:alert(1)", "0 B"));
}

BOOST_AUTO_TEST_CASE(letters) {
    BOOST_TEST(escaped("a<b>\"c\"&'d'") == "a&lt;b&gt;&quot;c&quot;&amp;&#39;d&#39;");
    BOOST_TEST(escaped("caf\xc3\xa9") == "caf\xc3\xa9");
    BOOST_TEST(escaped({"\0\x1f\x7f\t", 4}) == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

BOOST_AUTO_TEST_CASE(sizes_and_times) {
    BOOST_TEST(listed_size(0) == "0 B");
    BOOST_TEST(listed_size(999) == "999 B");
    BOOST_TEST(listed_size(1000) == "1.0 KiB");
    BOOST_TEST(listed_size(1024) == "1.0 KiB");
    BOOST_TEST(listed_size(1536) == "1.5 KiB");
    BOOST_TEST(listed_size(10'000'000) == "9.5 MiB");
    BOOST_TEST(listed_size(13'958'643'712) == "13.0 GiB");
    BOOST_TEST(listed_size(~std::uint64_t{0}) == "16.0 EiB");
    const std::string page =
        directory_listing("", {{.name = "a", .modified = sys_seconds{784111777s}}});
    BOOST_TEST(page.find("<td>1994-11-06 08:49</td>") != page.npos);
    const std::string before = directory_listing("", {{.name = "a", .modified = sys_seconds{-1s}}});
    BOOST_TEST(before.find("<td>1969-12-31 23:59</td>") != before.npos);
}

BOOST_AUTO_TEST_CASE(a_large_folder_takes_what_its_names_take) {
    std::vector<directory_entry> entries;
    for (unsigned i = 0; i < 100'000; ++i)
        entries.push_back(
            {.name = std::to_string(i), .is_folder = false, .size = i, .modified = {}});
    const std::string page = directory_listing("a", std::move(entries));
    BOOST_TEST(page.size() < 100'000U * 110U);
    BOOST_TEST(page.find("<a href=\"99999\">99999</a>") != page.npos);
}

BOOST_AUTO_TEST_CASE(a_page_that_is_not_of_all_names_says_so) {
    const std::vector<directory_entry> two{{.name = "a", .modified = {}},
                                           {.name = "b", .modified = {}}};
    BOOST_TEST(directory_listing("", two).find("There are more") == std::string::npos);
    BOOST_TEST(directory_listing("", two, false)
                   .find("There are more: these are the first 2 by their names.") !=
               std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
