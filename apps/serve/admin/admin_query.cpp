// Finds names in queries, and decodes their values.
#include "admin_query.hpp"

#include "http/target_path.hpp"
#include "http/text.hpp"

#include <charconv>
#include <vector>

namespace leat::serve {

std::optional<std::string_view> admin_query::find(std::string_view name) const noexcept {
    std::string_view rest = text_;
    while (!rest.empty()) {
        rest.remove_prefix(1);  // the question mark, or what parts the pairs
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(pair.size());
        const std::size_t equals = pair.find('=');
        if (pair.substr(0, equals) != name) continue;
        return equals == pair.npos ? std::string_view{} : pair.substr(equals + 1);
    }
    return {};
}

std::optional<std::string> admin_query::text(std::string_view name) const {
    const auto found = find(name);
    if (!found) return {};
    std::string decoded;
    for (std::size_t at = 0; at < found->size(); ++at) {
        if ((*found)[at] != '%') {
            decoded += (*found)[at];
            continue;
        }
        const std::string_view digits = found->substr(at + 1, 2);
        if (digits.size() != 2) return {};
        const unsigned high = http::hex_value(digits[0]);
        const unsigned low = http::hex_value(digits[1]);
        if (high > 15 || low > 15) return {};
        decoded += static_cast<char>(high << 4 | low);
        at += 2;
    }
    return decoded;
}

std::optional<std::uint64_t> admin_query::number(std::string_view name,
                                                 std::uint64_t otherwise,
                                                 std::uint64_t most) const {
    const auto found = find(name);
    if (!found) return otherwise;
    std::uint64_t value = 0;
    const char* const end = found->data() + found->size();
    const auto [stopped, wrong] = std::from_chars(found->data(), end, value);
    if (wrong != std::errc{} || stopped != end || value > most) return {};
    return value;
}

std::optional<std::string> served_path(std::string_view decoded, bool dotfiles) {
    std::vector<char> encoded(3 * decoded.size() + 1);
    encoded[0] = '/';
    const std::string_view path = http::encode_path(decoded, std::span{encoded}.subspan(1));
    if (path.empty()) return {};
    std::vector<char> memory(encoded.size());
    const http::target_path read =
        http::read_target({encoded.data(), path.size() + 1}, memory, dotfiles);
    if (read.refusal != http::status::ok || read.folder || read.path.empty()) return {};
    return std::string{read.path};
}

}  // namespace leat::serve
