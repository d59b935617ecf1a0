// Decodes Base64.
#include "http/basic_credentials.hpp"

#include "http/text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace leat::http {

namespace {

/// The value of a letter of Base64 (RFC 4648, 4); 64 if it is none.
std::uint32_t sextet(char one) {
    if (one >= 'A' && one <= 'Z') return static_cast<std::uint32_t>(one - 'A');
    if (one >= 'a' && one <= 'z') return static_cast<std::uint32_t>(one - 'a' + 26);
    if (is_digit(one)) return static_cast<std::uint32_t>(one - '0' + 52);
    return one == '+' ? 62 : one == '/' ? 63 : 64;
}

std::optional<std::string_view> decoded(std::string_view text, std::span<char> buffer) {
    if (text.empty() || text.size() % 4 != 0) return {};
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    text.remove_suffix(padding);
    if (text.size() * 3 / 4 > buffer.size()) return {};
    std::uint32_t bits = 0;
    unsigned count = 0;
    std::size_t size = 0;
    for (const char one : text) {
        const std::uint32_t six = sextet(one);
        if (six > 63) return {};
        bits = bits << 6 | six;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        buffer[size++] = static_cast<char>(bits >> count & 0xff);
    }
    return std::string_view{buffer.data(), size};
}

}  // namespace

std::optional<basic_credentials> read_basic(std::string_view value,
                                            std::span<char> buffer) noexcept {
    constexpr std::string_view scheme = "Basic ";
    if (!equal_but_for_case(value.substr(0, scheme.size()), scheme)) return {};
    const auto text = decoded(trimmed(value.substr(scheme.size())), buffer);
    if (!text) return {};
    const std::size_t colon = text->find(':');
    if (colon == text->npos) return {};
    const auto forbidden = [](char one) { return is_control(one) || one == '\t'; };
    if (std::any_of(text->begin(), text->end(), forbidden)) return {};
    return basic_credentials{text->substr(0, colon), text->substr(colon + 1)};
}

}  // namespace leat::http
