// Parses the field Range and answers which bytes it selects.
#include "common/byte_ranges.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace leat::apps {

namespace {

constexpr std::string_view blanks = " \t";
constexpr std::string_view digits = "0123456789";

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool equal_but_for_case(std::string_view left, std::string_view right) {
    const auto lower = [](char one) { return one >= 'A' && one <= 'Z' ? one - 'A' + 'a' : one; };
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [&](char a, char b) { return lower(a) == lower(b); });
}

/// A decimal number of any length.
class number {
public:
    /// Nothing if the text is none.
    static std::optional<number> read(std::string_view text) {
        if (text.empty() || text.find_first_not_of(digits) != text.npos) return {};
        text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
        return number{text};
    }
    /// Its value, or the largest there is if it is larger.
    [[nodiscard]] std::uint64_t clamped() const {
        constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
        std::uint64_t value = 0;
        for (const char one : digits_) {
            const auto digit = static_cast<std::uint64_t>(one - '0');
            if (value > (largest - digit) / 10) return largest;
            value = value * 10 + digit;
        }
        return value;
    }
    friend bool operator<(const number& left, const number& right) {
        const std::size_t a = left.digits_.size();
        const std::size_t b = right.digits_.size();
        return a != b ? a < b : left.digits_ < right.digits_;
    }

private:
    explicit number(std::string_view significant) : digits_(significant) {}
    std::string_view digits_;
};

/// Reads one range-spec. Returns false if it is malformed; adds nothing if it lies outside the
/// file.
bool read_range(std::string_view spec, std::uint64_t size, std::vector<byte_range>& parts) {
    const std::size_t dash = spec.find('-');
    if (dash == spec.npos) return false;
    const auto first = number::read(spec.substr(0, dash));
    const std::string_view behind = spec.substr(dash + 1);
    const auto last = number::read(behind);
    if (dash == 0) {
        if (!last) return false;
        const std::uint64_t length = std::min(last->clamped(), size);
        if (length != 0) parts.push_back({size - length, length});
        return true;
    }
    if (!first || (!behind.empty() && (!last || *last < *first))) return false;
    const std::uint64_t begin = first->clamped();
    if (begin >= size) return true;
    const std::uint64_t end = last ? std::min(last->clamped(), size - 1) : size - 1;
    parts.push_back({begin, end - begin + 1});
    return true;
}

/// Whether a well-formed range-spec asks for the end of an empty file, which it is there to give.
bool is_suffix(std::string_view spec) {
    return spec.front() == '-' && spec.find_first_not_of("-0") != spec.npos;
}

}  // namespace

byte_ranges parse_byte_ranges(std::string_view value, std::uint64_t size) {
    value = trimmed(value);
    const std::size_t equals = value.find('=');
    if (equals == value.npos || !equal_but_for_case(value.substr(0, equals), "bytes")) return {};
    // A list (5.6.1): commas with blanks around, and elements between them that may be missing.
    std::string_view rest = value.substr(equals + 1);
    if (rest.empty() || blanks.find(rest.front()) != blanks.npos) return {};
    byte_ranges asked;
    std::size_t count = 0;
    bool of_empty_file = false;
    for (bool more = true; more;) {
        const std::size_t comma = rest.find(',');
        more = comma != rest.npos;
        const std::string_view spec = trimmed(rest.substr(0, comma));
        if (more) rest.remove_prefix(comma + 1);
        if (spec.empty()) continue;
        if (++count > byte_ranges::most_parts || !read_range(spec, size, asked.parts)) return {};
        of_empty_file = of_empty_file || (size == 0 && is_suffix(spec));
    }
    if (count == 0 || of_empty_file) return {};
    asked.verdict =
        asked.parts.empty() ? byte_ranges::kind::unsatisfiable : byte_ranges::kind::some;
    return asked;
}

std::vector<byte_range> coalesced(std::vector<byte_range> parts) {
    std::sort(parts.begin(), parts.end(),
              [](const byte_range& a, const byte_range& b) { return a.first < b.first; });
    std::vector<byte_range> joined;
    for (const byte_range& one : parts) {
        const bool apart = joined.empty() || joined.back().first + joined.back().length < one.first;
        if (apart) {
            joined.push_back(one);
            continue;
        }
        byte_range& last = joined.back();
        last.length = std::max(last.first + last.length, one.first + one.length) - last.first;
    }
    return joined;
}

}  // namespace leat::apps
