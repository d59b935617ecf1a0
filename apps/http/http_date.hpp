// Dates as HTTP writes them.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace leat::http {

using std::chrono::sys_seconds;

/// Bytes of a date: `Sun, 06 Nov 1994 08:49:37 GMT`.
inline constexpr std::size_t date_bytes = 29;

/// Reads a date in each of the three forms of RFC 9110, 5.6.7: IMF-fixdate, that of RFC 850, and
/// asctime's. Nothing if it is none, such as 30 Feb; that a day of the week is the date's is not
/// asked. A year of two digits is that of the present century, or of the last one where that would
/// lie more than 50 years after `now`. 60 seconds, of leap seconds, are those of the next minute.
[[nodiscard]] std::optional<sys_seconds> parse_date(std::string_view text, sys_seconds now);

/// An IMF-fixdate. Years before 0 and after 9999 are written as these.
[[nodiscard]] std::array<char, date_bytes> format_date(sys_seconds time);

/// The present time, by the system's clock.
[[nodiscard]] sys_seconds present();

/// `now` as an IMF-fixdate, made anew where it is another second than at the last call on this
/// thread. Valid until the next call on this thread.
[[nodiscard]] std::string_view date_text(sys_seconds now);

}  // namespace leat::http
