// Parses the field Range and answers which bytes it selects.
#include "http/byte_ranges.hpp"

#include "http/text.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>

namespace leat::http {

namespace {

/// A decimal number of any length.
class number {
public:
    /// Nothing if the text is none.
    static std::optional<number> read(std::string_view text) {
        if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return {};
        text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
        return number{text};
    }
    /// Its value, or the largest there is if it is larger.
    [[nodiscard]] std::uint64_t clamped() const { return clamped_; }
    friend bool operator<(const number& left, const number& right) {
        if (left.clamped_ != right.clamped_) return left.clamped_ < right.clamped_;
        const std::size_t a = left.digits_.size();
        const std::size_t b = right.digits_.size();
        return a != b ? a < b : left.digits_ < right.digits_;
    }

private:
    explicit number(std::string_view significant) : digits_(significant) {
        using limits = std::numeric_limits<std::uint64_t>;
        for (const char one : significant.substr(0, limits::digits10))
            clamped_ = clamped_ * 10 + static_cast<std::uint64_t>(one - '0');
        if (significant.size() <= limits::digits10) return;
        const char* const end = significant.data() + significant.size();
        const auto read = std::from_chars(significant.data(), end, clamped_);
        if (read.ec == std::errc::result_out_of_range) clamped_ = limits::max();
    }
    std::string_view digits_;
    std::uint64_t clamped_ = 0;
};

/// Reads one range-spec. Returns false if it is malformed; adds nothing if it lies outside the
/// file.
bool read_range(std::string_view spec, std::uint64_t size, range_list& parts) {
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

/// Reads the field's value. Parts mean something only if it is `some`.
byte_ranges::kind read_list(std::string_view value,
                            std::uint64_t size,
                            std::size_t most,
                            range_list& parts) {
    using kind = byte_ranges::kind;
    const std::size_t equals = value.find('=');
    if (equals == value.npos || !equal_but_for_case(value.substr(0, equals), "bytes"))
        return kind::whole;
    // A list (5.6.1): commas with blanks around, and elements between them that may be missing.
    std::string_view rest = value.substr(equals + 1);
    if (rest.empty() || is_blank(rest.front())) return kind::whole;
    std::size_t count = 0;
    bool of_empty_file = false;
    for (bool more = true; more;) {
        const std::size_t comma = rest.find(',');
        more = comma != rest.npos;
        const std::string_view spec = trimmed(rest.substr(0, comma));
        if (more) rest.remove_prefix(comma + 1);
        if (spec.empty()) continue;
        if (++count > most || !read_range(spec, size, parts)) return kind::whole;
        of_empty_file = of_empty_file || (size == 0 && is_suffix(spec));
    }
    if (count == 0 || of_empty_file) return kind::whole;
    return parts.empty() ? kind::unsatisfiable : kind::some;
}

}  // namespace

byte_ranges parse_byte_ranges(std::string_view value, std::uint64_t size, std::size_t most) {
    byte_ranges asked;
    asked.verdict = read_list(trimmed(value), size, most, asked.parts);
    if (asked.verdict != byte_ranges::kind::some) asked.parts.clear();
    return asked;
}

void coalesce(range_list& parts) {
    if (parts.size() < 2) return;
    struct placed {
        byte_range range;
        std::size_t place;
    };
    boost::container::small_vector<placed, 16> sorted;
    for (std::size_t i = 0; i < parts.size(); ++i) sorted.push_back({parts[i], i});
    std::sort(sorted.begin(), sorted.end(),
              [](const placed& a, const placed& b) { return a.range.first < b.range.first; });
    std::size_t joined = 0;  // the last of those that are made
    for (std::size_t i = 1; i < sorted.size(); ++i) {
        placed& last = sorted[joined];
        const placed& one = sorted[i];
        const std::uint64_t end = last.range.first + last.range.length;
        if (end < one.range.first) {
            sorted[++joined] = one;
            continue;
        }
        last.range.length = std::max(end, one.range.first + one.range.length) - last.range.first;
        last.place = std::min(last.place, one.place);
    }
    sorted.resize(joined + 1);
    std::sort(sorted.begin(), sorted.end(),
              [](const placed& a, const placed& b) { return a.place < b.place; });
    parts.clear();
    for (const placed& one : sorted) parts.push_back(one.range);
}

}  // namespace leat::http
