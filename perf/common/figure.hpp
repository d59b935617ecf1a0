// What a figure's name says, and how its value is written.
#pragma once

#include <string>
#include <string_view>

namespace leat::perf {

/// The unit that the name of a figure ends in: "hit.hot.ns" is in "ns", "scan.gbps" in "GB/s"
/// (10^9 bytes). Empty for a plain number.
[[nodiscard]] std::string_view unit_of(std::string_view figure) noexcept;

/// The value with about four digits, never as a power of ten: "9.871", "107.2", "1523000".
[[nodiscard]] std::string format_value(double value);

/// The value with about three digits, for sentences and plots: "9.87", "107", "1523000".
[[nodiscard]] std::string format_short(double value);

[[nodiscard]] constexpr double to_us(double ns) noexcept {
    return ns / 1e3;
}
/// GB/s, of 10^9 bytes.
[[nodiscard]] constexpr double gbps(double bytes, double seconds) noexcept {
    return bytes / seconds / 1e9;
}

}  // namespace leat::perf
