// Range fields and the bytes they select: a table of right answers.
#include "http/byte_ranges.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(byte_ranges_test)

using namespace leat::http;

namespace {

constexpr std::uint64_t most = ~std::uint64_t{0};

// "whole", "none" if nothing can be satisfied, else "FIRST+LENGTH ..." in order.
std::string answer(std::string_view field, std::uint64_t size) {
    const byte_ranges asked = parse_byte_ranges(field, size);
    if (asked.verdict == byte_ranges::kind::whole) return "whole";
    if (asked.verdict == byte_ranges::kind::unsatisfiable) return "none";
    std::string text;
    for (const byte_range& one : asked.parts) {
        if (!text.empty()) text += ' ';
        text += std::to_string(one.first) + '+' + std::to_string(one.length);
    }
    return text;
}

struct row {
    std::string field;
    std::uint64_t size;
    std::string answer;
};

using parts = std::vector<byte_range>;

parts coalesced(const parts& asked) {
    range_list list{asked.begin(), asked.end()};
    coalesce(list);
    return {list.begin(), list.end()};
}

std::string repeated(std::string_view text, unsigned times) {
    std::string all;
    for (; times > 0; --times) all += text;
    return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_table) {
    const std::vector<row> rows{
        // One range.
        {"bytes=0-0", 100, "0+1"},
        {"bytes=0-", 100, "0+100"},
        {"bytes=0-99", 100, "0+100"},
        {"bytes=0-100", 100, "0+100"},
        {"bytes=5-9", 100, "5+5"},
        {"bytes=99-", 100, "99+1"},
        {"bytes=99-99", 100, "99+1"},
        {"bytes=99-1000", 100, "99+1"},
        {"bytes=100-", 100, "none"},
        {"bytes=100-200", 100, "none"},
        {"bytes=007-0009", 100, "7+3"},
        {"bytes=0-0", 1, "0+1"},
        {"bytes=1-1", 1, "none"},
        // Suffixes.
        {"bytes=-1", 100, "99+1"},
        {"bytes=-99", 100, "1+99"},
        {"bytes=-100", 100, "0+100"},
        {"bytes=-101", 100, "0+100"},
        {"bytes=-0", 100, "none"},
        {"bytes=-000", 100, "none"},
        {"bytes=-18446744073709551615", 100, "0+100"},
        {"bytes=-18446744073709551616", 100, "0+100"},
        // 2^64 and beyond.
        {"bytes=18446744073709551615-", 100, "none"},
        {"bytes=18446744073709551616-", 100, "none"},
        {"bytes=0-18446744073709551615", 100, "0+100"},
        {"bytes=0-18446744073709551616", 100, "0+100"},
        {"bytes=5-99999999999999999999999999", 100, "5+95"},
        {"bytes=18446744073709551616-18446744073709551617", 100, "none"},
        {"bytes=18446744073709551617-18446744073709551616", 100, "whole"},
        {"bytes=0-", most, "0+18446744073709551615"},
        {"bytes=9999999999999999998-9999999999999999999", most, "9999999999999999998+2"},
        {"bytes=10000000000000000000-10000000000000000001", most, "10000000000000000000+2"},
        {"bytes=18446744073709551614-", most, "18446744073709551614+1"},
        {"bytes=18446744073709551615-", most, "none"},
        {"bytes=18446744073709551616-", most, "none"},
        {"bytes=-18446744073709551616", most, "0+18446744073709551615"},
        {"bytes=" + std::string(1000, '9') + '-', 100, "none"},
        {"bytes=0-" + std::string(1000, '9'), 100, "0+100"},
        {"bytes=" + std::string(1000, '0') + "3-4", 100, "3+2"},
        // Malformed: not heeded.
        {"", 100, "whole"},
        {"bytes", 100, "whole"},
        {"bytes=", 100, "whole"},
        {"bytes=-", 100, "whole"},
        {"bytes=--1", 100, "whole"},
        {"bytes=1", 100, "whole"},
        {"bytes=9-3", 100, "whole"},
        {"bytes=900-300", 100, "whole"},
        {"bytes=a-b", 100, "whole"},
        {"bytes=0x0-1", 100, "whole"},
        {"bytes=+1-2", 100, "whole"},
        {"bytes=1-+2", 100, "whole"},
        {"bytes=1-2-3", 100, "whole"},
        {"bytes=1 -2", 100, "whole"},
        {"bytes=1- 2", 100, "whole"},
        {"bytes= 1-2", 100, "whole"},
        {"bytes =1-2", 100, "whole"},
        {"bytes:1-2", 100, "whole"},
        {"bytes=1-2;3-4", 100, "whole"},
        {"bytes=1-2 3-4", 100, "whole"},
        {"=1-2", 100, "whole"},
        {"1-2", 100, "whole"},
        {"bytes=%n%s-", 100, "whole"},
        {"bytes=1.0-2", 100, "whole"},
        {"bytes=\xd9\xa1-", 100, "whole"},
        {"bytes==0-1", 100, "whole"},
        {std::string("bytes=0\0-1", 10), 100, "whole"},
        // Units.
        {"BYTES=1-2", 100, "1+2"},
        {"Bytes=1-2", 100, "1+2"},
        {"byte=1-2", 100, "whole"},
        {"bytesx=1-2", 100, "whole"},
        {"pages=1-2", 100, "whole"},
        {"none=", 100, "whole"},
        // Several.
        {"bytes=0-0,-1", 100, "0+1 99+1"},
        {"bytes=0-1, 3-4", 100, "0+2 3+2"},
        {"bytes=0-1 ,\t3-4", 100, "0+2 3+2"},
        {"bytes=0-1,,3-4", 100, "0+2 3+2"},
        {"bytes=,0-1", 100, "0+2"},
        {"bytes=0-1,", 100, "0+2"},
        {"bytes=,", 100, "whole"},
        {"bytes=, ,", 100, "whole"},
        {"bytes=50-59,0-9", 100, "50+10 0+10"},
        {"bytes=0-50,40-60", 100, "0+51 40+21"},
        {"bytes=0-9,200-300", 100, "0+10"},
        {"bytes=200-300,0-9", 100, "0+10"},
        {"bytes=200-300,400-", 100, "none"},
        {"bytes=200-,-0", 100, "none"},
        {"bytes=0-9,9-3", 100, "whole"},
        {"bytes=200-,x", 100, "whole"},
        {"bytes=0-1,bytes=2-3", 100, "whole"},
        {"bytes=" + repeated("1-1,", 65), 100, "whole"},
        {"bytes=" + repeated("200-,", 65), 100, "whole"},
        {"bytes=" + repeated(",", 10'000) + "1-1", 100, "1+1"},
        // Empty files.
        {"bytes=0-", 0, "none"},
        {"bytes=0-0", 0, "none"},
        {"bytes=-0", 0, "none"},
        {"bytes=-1", 0, "whole"},
        {"bytes=-500", 0, "whole"},
        {"bytes=0-,-1", 0, "whole"},
        {"bytes=9-3", 0, "whole"},
        {"", 0, "whole"},
        // Blanks around the whole are no part of it.
        {" bytes=1-2\t", 100, "1+2"},
    };
    BOOST_TEST(rows.size() >= 60u);
    for (const row& one : rows)
        BOOST_TEST(answer(one.field, one.size) == one.answer, one.field << " of " << one.size);
}

BOOST_AUTO_TEST_CASE(as_many_as_are_heeded) {
    const std::string all = "bytes=" + repeated("1-1,", most_ranges);
    BOOST_TEST(parse_byte_ranges(all, 100).parts.size() == most_ranges);
    const byte_ranges three = parse_byte_ranges("bytes=1-1,2-2,3-3", 100, 3);
    BOOST_TEST(three.parts.size() == 3U);
    const byte_ranges more = parse_byte_ranges("bytes=1-1,2-2,3-3,4-4", 100, 3);
    BOOST_TEST((more.verdict == byte_ranges::kind::whole));
    // Those outside the file count, too.
    BOOST_TEST((parse_byte_ranges("bytes=1-1,200-", 100, 1).verdict == byte_ranges::kind::whole));
    BOOST_TEST((parse_byte_ranges("bytes=1-1", 100, 0).verdict == byte_ranges::kind::whole));
}

BOOST_AUTO_TEST_CASE(what_overlaps_or_touches_is_made_one) {
    BOOST_TEST((coalesced({}) == parts{}));
    BOOST_TEST((coalesced({{5, 1}}) == parts{{5, 1}}));
    BOOST_TEST((coalesced({{0, 10}, {10, 5}}) == parts{{0, 15}}));
    BOOST_TEST((coalesced({{0, 10}, {11, 5}}) == parts{{0, 10}, {11, 5}}));
    BOOST_TEST((coalesced({{50, 10}, {0, 10}, {5, 50}}) == parts{{0, 60}}));
    BOOST_TEST((coalesced({{0, 100}, {10, 5}}) == parts{{0, 100}}));
    BOOST_TEST((coalesced({{10, 5}, {0, 100}}) == parts{{0, 100}}));
    BOOST_TEST((coalesced({{0, 5}, {5, 5}, {10, 5}}) == parts{{0, 15}}));
    BOOST_TEST((coalesced({{5, 5}, {5, 5}}) == parts{{5, 5}}));
    BOOST_TEST((coalesced({{most - 1, 1}, {0, most}}) == parts{{0, most}}));
}

BOOST_AUTO_TEST_CASE(the_order_is_the_one_asked_for) {
    BOOST_TEST((coalesced({{50, 10}, {0, 10}}) == parts{{50, 10}, {0, 10}}));
    BOOST_TEST(
        (coalesced({{90, 1}, {50, 10}, {0, 10}, {60, 5}}) == parts{{90, 1}, {50, 15}, {0, 10}}));
    BOOST_TEST(
        (coalesced({{60, 5}, {0, 1}, {90, 1}, {50, 10}}) == parts{{50, 15}, {0, 1}, {90, 1}}));
    // As many as do not fit where they allocate nothing.
    parts many;
    for (std::uint64_t i = 40; i > 0; --i) many.push_back({i * 10, 5});
    BOOST_TEST((coalesced(many) == many));
}

BOOST_AUTO_TEST_SUITE_END()
