// Byte ranges of HTTP: what is read of a field is what a plain reading of RFC 9110 makes of it, and
// lies inside the file however large it is.
#include "http/byte_ranges.hpp"
#include "input.hpp"

#include <algorithm>
#include <optional>
#include <regex>
#include <string>
#include <vector>

using leat::http::byte_range;
using leat::http::byte_ranges;
using leat::http::range_list;
using leat::test::require;

namespace {

// Whether number `a` is at most `b`, as text.
bool at_most(std::string a, std::string b) {
    const std::size_t width = std::max(a.size(), b.size());
    a.insert(0, width - a.size(), '0');
    b.insert(0, width - b.size(), '0');
    return a <= b;
}

// What a range-spec says of a small file: one character a byte. Nothing if it is malformed.
std::optional<std::string> bytes_of(const std::string& spec, unsigned size) {
    static const std::regex form{"([0-9]*)-([0-9]*)"};
    std::smatch found;
    if (!std::regex_match(spec, found, form)) return {};
    const std::string first = found[1];
    const std::string last = found[2];
    if (first.empty() && last.empty()) return {};
    if (!first.empty() && !last.empty() && !at_most(first, last)) return {};
    std::string bytes;
    for (unsigned at = 0; at < size; ++at) {
        const bool asked = first.empty() ? at_most(std::to_string(size - at), last)
                                         : at_most(first, std::to_string(at)) &&
                                               (last.empty() || at_most(std::to_string(at), last));
        bytes += asked ? 'x' : '.';
    }
    return bytes;
}

// The answer for a small file, in the same form; "whole" or "none" besides.
std::vector<std::string> model(const std::string& field, unsigned size) {
    static const std::regex form{"[ \t]*bytes=([^ \t](?:.|\n|\r)*)?", std::regex::icase};
    static const std::regex separator{"[ \t]*,[ \t]*"};
    static const std::regex any_byte{"[0-9 \t,-]*"};
    std::smatch found;
    if (!std::regex_match(field, found, form)) return {"whole"};
    std::string list = found[1];
    while (!list.empty() && (list.back() == ' ' || list.back() == '\t')) list.pop_back();
    if (!std::regex_match(list, any_byte)) return {"whole"};
    std::vector<std::string> answer;
    unsigned count = 0;
    bool empty_suffix = false;
    std::sregex_token_iterator one{list.begin(), list.end(), separator, -1};
    for (; one != std::sregex_token_iterator{}; ++one) {
        const std::string spec = *one;
        if (spec.empty()) continue;
        const std::optional<std::string> bytes = bytes_of(spec, size);
        if (!bytes || ++count > leat::http::most_ranges) return {"whole"};
        if (bytes->find('x') != bytes->npos) answer.push_back(*bytes);
        const bool suffix = spec[0] == '-' && spec.find_first_of("123456789") != spec.npos;
        empty_suffix = empty_suffix || (size == 0 && suffix);
    }
    if (count == 0 || empty_suffix) return {"whole"};
    return answer.empty() ? std::vector<std::string>{"none"} : answer;
}

std::vector<std::string> drawn(const byte_ranges& asked, unsigned size) {
    if (asked.verdict == byte_ranges::kind::whole) return {"whole"};
    if (asked.verdict == byte_ranges::kind::unsatisfiable) return {"none"};
    std::vector<std::string> answer;
    for (const byte_range& part : asked.parts) {
        std::string bytes(size, '.');
        bytes.replace(part.first, part.length, part.length, 'x');
        answer.push_back(bytes);
    }
    return answer;
}

void check_inside(const range_list& parts, std::uint64_t size) {
    for (const byte_range& one : parts) {
        require(one.length != 0 && one.length <= size, "an empty range, or one too long");
        require(one.first <= size - one.length, "a range beyond the end of the file");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    leat::test::input from{data, size};
    const std::uint64_t file_size = from.number();
    // As a field of a request: it holds no NUL.
    const std::string field = std::string{from.rest()}.c_str();
    const byte_ranges asked = leat::http::parse_byte_ranges(field, file_size);
    check_inside(asked.parts, file_size);
    const bool some = asked.verdict == byte_ranges::kind::some;
    require(some == !asked.parts.empty(), "parts and verdict do not fit");

    range_list joined = asked.parts;
    leat::http::coalesce(joined);
    check_inside(joined, file_size);
    for (const byte_range& one : joined) {
        for (const byte_range& other : joined) {
            const bool apart = one.first + one.length < other.first ||
                               other.first + other.length < one.first || &one == &other;
            require(apart, "not made one");
        }
    }
    for (const byte_range& one : asked.parts) {
        const bool kept = std::any_of(joined.begin(), joined.end(), [&](const byte_range& all) {
            return all.first <= one.first && one.first + one.length <= all.first + all.length;
        });
        require(kept, "bytes that were asked for are lost");
    }

    // A regular expression takes a stack frame a character.
    if (field.size() > 500) return 0;
    const auto small = static_cast<unsigned>(file_size % 40);
    require(drawn(leat::http::parse_byte_ranges(field, small), small) == model(field, small),
            "the field is read otherwise");
    return 0;
}
