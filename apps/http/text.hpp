// Letters, blanks and tokens as HTTP has them, whatever the locale.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace leat::http {

inline constexpr std::string_view blanks = " \t";
inline constexpr std::string_view digits = "0123456789";

[[nodiscard]] constexpr char lower(char one) noexcept {
    return one >= 'A' && one <= 'Z' ? static_cast<char>(one - 'A' + 'a') : one;
}

[[nodiscard]] constexpr bool is_blank(char one) noexcept {
    return one == ' ' || one == '\t';
}

[[nodiscard]] constexpr bool is_digit(char one) noexcept {
    return one >= '0' && one <= '9';
}

[[nodiscard]] constexpr bool is_letter_or_digit(char one) noexcept {
    return is_digit(one) || (lower(one) >= 'a' && lower(one) <= 'z');
}

/// A set of letters as a table: a look at one place for each letter of a request, where a list
/// would be searched.
class letter_set {
public:
    /// Those that `is_member`, a function of a char, is true of.
    template <class Predicate>
    explicit constexpr letter_set(Predicate is_member) noexcept {
        for (std::size_t i = 0; i < members_.size(); ++i)
            members_[i] = is_member(static_cast<char>(i));
    }
    [[nodiscard]] constexpr bool contains(char one) const noexcept {
        return members_[static_cast<unsigned char>(one)];
    }

private:
    std::array<bool, 256> members_{};
};

inline constexpr letter_set token_letters{[](char one) {
    return is_letter_or_digit(one) ||
           std::string_view{"!#$%&'*+-.^_`|~"}.find(one) != std::string_view::npos;
}};

/// Of the names of methods and fields (RFC 9110, 5.6.2).
[[nodiscard]] constexpr bool is_token_letter(char one) noexcept {
    return token_letters.contains(one);
}

/// What no value of a field may have: controls but the tab.
[[nodiscard]] constexpr bool is_control(char one) noexcept {
    const auto byte = static_cast<unsigned char>(one);
    return (byte < 0x20 && one != '\t') || byte == 0x7f;
}

[[nodiscard]] constexpr bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_letter);
}

/// The value of a hexadecimal digit; 16 if it is none.
[[nodiscard]] constexpr unsigned hex_value(char one) noexcept {
    if (is_digit(one)) return static_cast<unsigned>(one - '0');
    const char letter = lower(one);
    return letter >= 'a' && letter <= 'f' ? static_cast<unsigned>(letter - 'a' + 10) : 16;
}

/// Without blanks around it.
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

[[nodiscard]] constexpr bool equal_but_for_case(std::string_view left,
                                                std::string_view right) noexcept {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace leat::http
