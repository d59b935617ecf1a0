// Compares entity tags and dates in the order that RFC 9110 gives.
#include "http/conditions.hpp"

#include "http/text.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>

namespace leat::http {

namespace {

/// Whether a letter may stand in an entity tag (8.8.3).
bool is_tag_letter(char one) {
    return one != '"' && one != ' ' && one != '\t' && !is_control(one);
}

/// Whether a list of entity tags names this one, or is "*" (8.8.3.2). By weak comparison a weak tag
/// does, too, and may be the file's own.
bool names(std::string_view list, const entity_tag& tag, bool weakly) {
    if (list == "*") return true;
    const entity_tag::text own{tag};
    while (true) {
        const std::size_t begin = list.find_first_not_of(" \t,");
        if (begin == list.npos) return false;
        list.remove_prefix(begin);
        const bool weak = list.starts_with("W/");
        if (weak) list.remove_prefix(2);
        if (!list.starts_with('"')) return false;
        std::size_t end = 1;
        while (end < list.size() && is_tag_letter(list[end])) ++end;
        if (end == list.size() || list[end] != '"') return false;
        const bool strong = !weak && !tag.weak();
        if (list.substr(0, end + 1) == own.opaque() && (weakly || strong)) return true;
        list.remove_prefix(end + 1);
        // Between two tags stands a comma.
        const std::size_t next = list.find_first_not_of(blanks);
        if (next == list.npos || list[next] != ',') return false;
    }
}

bool names(const field_lines& list, const entity_tag& tag, bool weakly) {
    for (const std::string_view line : list.lines()) {
        if (names(line, tag, weakly)) return true;
    }
    return false;
}

/// When the file was changed, as Last-Modified tells it: never in the future (8.8.2.1).
sys_seconds told(const validators& file, sys_seconds now) {
    return std::min(file.modified, now);
}

}  // namespace

validators validators_of(const file_version& version, bool settled) {
    using nanoseconds = std::chrono::sys_time<std::chrono::nanoseconds>;
    const nanoseconds modified{std::chrono::nanoseconds{version.modified_ns}};
    return {entity_tag::of(version, settled), std::chrono::floor<std::chrono::seconds>(modified)};
}

precondition evaluate(const request_head& head, const validators& file, sys_seconds now) {
    if (head.if_match.present()) {
        if (!names(head.if_match, file.tag, false)) return precondition::failed;
    } else if (const auto date = parse_date(head.if_unmodified_since, now);
               date && told(file, now) > *date) {
        return precondition::failed;
    }
    if (head.if_none_match.present())
        return names(head.if_none_match, file.tag, true) ? precondition::not_modified
                                                         : precondition::holds;
    const auto date = parse_date(head.if_modified_since, now);
    return date && told(file, now) <= *date ? precondition::not_modified : precondition::holds;
}

bool range_holds(const request_head& head, const validators& file, sys_seconds now) {
    if (head.if_range.data() == nullptr) return true;
    if (file.tag.weak()) return false;
    if (head.if_range == entity_tag::text{file.tag}.view()) return true;
    const auto date = parse_date(head.if_range, now);
    return date && *date == file.modified && file.modified + std::chrono::seconds{1} <= now;
}

}  // namespace leat::http
