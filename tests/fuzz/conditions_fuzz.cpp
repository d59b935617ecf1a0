// Conditional fields and dates: only what names the file's tag, or a date that is one, decides.
#include "http/conditions.hpp"
#include "input.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

using namespace leat::http;
using leat::test::require;

namespace {

constexpr std::string_view opaque = "\"0123456789abcdef\"";

std::string_view next_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

void add(field_lines& lines, std::string_view value) {
    if (!value.empty()) lines.all[lines.count++] = value;
}

void check_date(std::string_view text, sys_seconds now) {
    const auto date = parse_date(text, now);
    if (!date) return;
    const auto written = format_date(*date);
    const auto again = parse_date({written.data(), written.size()}, now);
    // The last second of 9999 may be a leap second.
    require(again.has_value(), "a date that cannot be read again");
    require(*again == *date || *date > *again, "another date");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    leat::test::input from{data, size};
    const bool weak = (from.byte() & 1) != 0;
    const sys_seconds modified{std::chrono::seconds{from.number() % 300'000'000'000}};
    const sys_seconds now{std::chrono::seconds{from.number() % 300'000'000'000}};
    const validators file{{0x0123456789abcdef, weak}, modified};
    std::string_view text = from.rest();
    request_head head;
    add(head.if_match, next_line(text));
    add(head.if_match, next_line(text));
    add(head.if_none_match, next_line(text));
    head.if_modified_since = next_line(text);
    head.if_unmodified_since = next_line(text);
    head.if_range = next_line(text);
    for (const std::string_view one :
         {head.if_modified_since, head.if_unmodified_since, head.if_range})
        check_date(one, now);

    const precondition decided = evaluate(head, file, now);
    bool match = false;
    bool star = false;
    for (const std::string_view line : head.if_match.lines()) {
        match = match || line.find(opaque) != line.npos;
        star = star || line == "*";
    }
    if (head.if_match.present() && !star && (!match || weak))
        require(decided == precondition::failed, "a match with what is not named");
    if (head.if_none_match.present() && decided == precondition::not_modified) {
        const std::string_view line = head.if_none_match.all[0];
        require(line == "*" || line.find(opaque) != line.npos, "known, but not named");
    }
    const bool holds = range_holds(head, file, now);
    if (holds && head.if_range.data() != nullptr)
        require(!weak && (head.if_range == opaque || parse_date(head.if_range, now) == modified),
                "a range of what may be another version");
    return 0;
}
