// Looks at each letter of a host and its port.
#include "http/authority.hpp"

#include "http/text.hpp"

#include <algorithm>
#include <cstddef>

namespace leat::http {

namespace {

constexpr letter_set name_letters{[](char one) {
    return is_letter_or_digit(one) ||
           std::string_view{"-._~!$&'()*+,;="}.find(one) != std::string_view::npos;
}};

bool is_name(std::string_view text) {
    for (; !text.empty(); text.remove_prefix(1)) {
        if (name_letters.contains(text.front())) continue;
        if (text.front() != '%' || text.size() < 3 || hex_value(text[1]) > 15 ||
            hex_value(text[2]) > 15)
            return false;
        text.remove_prefix(2);
    }
    return true;
}

/// What stands in the brackets: an IPv6 address, or what future versions write ("v1.x:y").
bool is_literal(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char one) {
        return one == ':' || name_letters.contains(one);
    });
}

}  // namespace

bool is_authority(std::string_view text) noexcept {
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == text.npos || !is_literal(text.substr(1, end - 1))) return false;
        port = text.substr(end + 1);
        if (!port.empty() && port.front() != ':') return false;
    } else {
        const std::size_t colon = std::min(text.find(':'), text.size());
        if (!is_name(text.substr(0, colon))) return false;
        port = text.substr(colon);
    }
    return port.empty() || std::all_of(port.begin() + 1, port.end(), is_digit);
}

}  // namespace leat::http
