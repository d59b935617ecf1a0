// Content of several parts: its pieces, and their length told before.
#include "http/multipart_ranges.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(multipart_ranges_test)

using namespace leat::http;

namespace {

// The content, with letters "x" for the bytes of the file.
std::string joined(const multipart_ranges& content, const std::vector<byte_range>& parts) {
    std::array<char, 512> buffer;
    std::string all;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        all += content.head(i, buffer);
        all.append(parts[i].length, 'x');
    }
    return all += content.end(buffer);
}

}  // namespace

BOOST_AUTO_TEST_CASE(two_parts) {
    const std::vector<byte_range> parts{{0, 3}, {9, 2}};
    const part_boundary boundary = part_boundary::make();
    const std::string name{boundary.view()};
    const multipart_ranges content{parts, 100, "text/plain", boundary};
    const std::string expected = "--" + name +
                                 "\r\nContent-Type: text/plain\r\n"
                                 "Content-Range: bytes 0-2/100\r\n\r\nxxx\r\n--" +
                                 name +
                                 "\r\nContent-Type: text/plain\r\n"
                                 "Content-Range: bytes 9-10/100\r\n\r\nxx\r\n--" +
                                 name + "--\r\n";
    BOOST_TEST(joined(content, parts) == expected);
    BOOST_TEST(content.content_length() == expected.size());
}

BOOST_AUTO_TEST_CASE(the_length_is_that_of_all_pieces) {
    for (std::uint64_t size = 1; size < 10'000'000'000'000'000'000U / 7; size = size * 7 + 3) {
        const std::vector<byte_range> parts{{size - 1, 1}, {0, 1}, {size / 2, 1}, {size / 9, 1}};
        const multipart_ranges content{parts, size, "a/b", part_boundary::make()};
        BOOST_TEST(content.content_length() == joined(content, parts).size());
    }
}

BOOST_AUTO_TEST_CASE(the_largest_head_has_room) {
    const std::uint64_t size = ~std::uint64_t{0};
    const std::vector<byte_range> parts{{size / 2, size / 2}, {size / 2, size / 2}};
    const multipart_ranges content{parts, size, "", part_boundary::make()};
    std::array<char, multipart_ranges::overhead> buffer;
    BOOST_TEST(!content.head(1, buffer).empty());
    BOOST_TEST(!content.end(buffer).empty());
    BOOST_TEST(content.head(1, std::span{buffer}.first(100)).empty());
    BOOST_TEST(content.end(std::span{buffer}.first(20)).empty());
}

BOOST_AUTO_TEST_CASE(boundaries_are_different) {
    std::set<std::string> all;
    for (int i = 0; i < 100; ++i) {
        const part_boundary made = part_boundary::make();
        BOOST_TEST(made.view().size() == 32U);
        BOOST_TEST(made.view().find_first_not_of("0123456789abcdef") == std::string_view::npos);
        all.emplace(made.view());
    }
    BOOST_TEST(all.size() == 100U);
    BOOST_TEST(all.begin()->substr(0, 16) != std::string(16, '0'));
}

BOOST_AUTO_TEST_SUITE_END()
