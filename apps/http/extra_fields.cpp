// Checks names and values of fields.
#include "http/extra_fields.hpp"

#include "http/text.hpp"

#include <algorithm>
#include <array>

namespace leat::http {

namespace {

/// What tells of the file, or frames the answer: twice, or otherwise, it would be wrong.
constexpr std::array<std::string_view, 14> made_by_the_server{
    "Accept-Ranges", "Allow",      "Connection",  "Content-Encoding", "Content-Length",
    "Content-Range", "Date",       "ETag",        "Last-Modified",    "Location",
    "Content-Type",  "Keep-Alive", "Retry-After", "Transfer-Encoding"};

}  // namespace

std::string extra_fields::add(std::string_view line) {
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string_view name = line.substr(0, colon);
    if (colon == line.size() || !is_token(name))
        return "'" + std::string{line} + "' is no field: write 'Name: value'";
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (value.empty()) return "the field " + std::string{name} + " has no value";
    if (std::any_of(value.begin(), value.end(), is_control))
        return "the value of the field " + std::string{name} + " has control characters";
    for (const std::string_view one : made_by_the_server) {
        if (equal_but_for_case(one, name))
            return "the field " + std::string{name} + " is made by the server itself";
    }
    ((((text_ += name) += ": ") += value) += "\r\n");
    return {};
}

}  // namespace leat::http
