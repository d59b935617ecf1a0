// Name and password of a request, of the Basic scheme.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace leat::http {

struct basic_credentials {
    std::string_view user;      ///< without a colon
    std::string_view password;  ///< may be empty
};

/// Reads the value of Authorization (RFC 7617), decoding into `buffer`, to which the result refers.
/// Nothing if it is of another scheme, no Base64, has no colon or has control characters, or if the
/// buffer is too small: three quarters of the value suffice.
[[nodiscard]] std::optional<basic_credentials> read_basic(std::string_view value,
                                                          std::span<char> buffer) noexcept;

}  // namespace leat::http
