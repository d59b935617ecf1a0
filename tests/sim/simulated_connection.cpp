// The bytes between both ends of a simulated connection.
#include "simulated_connection.hpp"

#include "pattern.hpp"
#include "simulated_files.hpp"

namespace leat::sim {

bool simulated_connection::match(std::span<const std::byte> bytes,
                                 std::uint64_t position) const noexcept {
    return simulated_files::match(bytes, version, offset + position);
}

void simulated_connection::make(std::span<std::byte> bytes, std::uint64_t position) const noexcept {
    test::fill_pattern(bytes, culprit(), position);
}

bool simulated_connection::made(std::span<const std::byte> bytes,
                                std::uint64_t position) const noexcept {
    return test::is_pattern(bytes, culprit(), position);
}

}  // namespace leat::sim
