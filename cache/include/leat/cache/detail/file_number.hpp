// The numbers of files: places in the registry, spread over all numbers.
#pragma once

#include <cstdint>

namespace leat::detail {

/// Numbers are places times an odd factor, modulo 2^64: so the first chunks of many files do not
/// meet in a table, and a hit need not spread them.
[[nodiscard]] constexpr std::uint64_t number_of_place(std::uint64_t place) noexcept {
    return place * 0x9e3779b97f4a7c15u;
}
/// The place of which that is the number: times the inverse of the factor.
[[nodiscard]] constexpr std::uint64_t place_of_number(std::uint64_t number) noexcept {
    return number * 0xf1de83e19937733du;
}
static_assert(place_of_number(number_of_place(12345)) == 12345);

}  // namespace leat::detail
