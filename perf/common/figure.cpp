// Units from names, and values with about four digits.
#include "common/figure.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <cmath>
#include <utility>

namespace leat::perf {

std::string_view unit_of(std::string_view figure) noexcept {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> endings{{
        {"cpu_us_per_chunk", "us/chunk"},
        {"ns_per_waiter", "ns"},
        {"bytes_per_chunk", "bytes"},
        {"ops_per_s", "1/s"},
        {"iops", "1/s"},
        {"gbps", "GB/s"},
        {"ns", "ns"},
        {"us", "us"},
        {"ms", "ms"},
    }};
    for (const auto& [ending, unit] : endings) {
        if (!figure.ends_with(ending)) continue;
        const std::string_view before = figure.substr(0, figure.size() - ending.size());
        if (before.empty() || before.back() == '.' || before.back() == '_') return unit;
    }
    return {};
}

std::string format_value(double value) {
    const double size = std::abs(value);
    if (size >= 1000 || value == std::floor(value)) return fmt::format("{:.0f}", value);
    if (size >= 100) return fmt::format("{:.1f}", value);
    if (size >= 10) return fmt::format("{:.2f}", value);
    return size >= 0.01 ? fmt::format("{:.3f}", value) : fmt::format("{:.6f}", value);
}

std::string format_short(double value) {
    const double size = std::abs(value);
    if (size >= 99.95 || size < 0.001) return fmt::format("{:.0f}", value);
    return fmt::format("{:.3g}", value);
}

}  // namespace leat::perf
