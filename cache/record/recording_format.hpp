// The parts of a recording's file, as docs/design.md, Recordings, describes them.
#pragma once

#include "log_words.hpp"

#include <boost/crc.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace leat::detail {

/// At the start of the file; then the version, the number of shards, the chunk size, and when the
/// recording began, in ns since 1970.
inline constexpr std::array<char, 8> recording_magic{'l', 'e', 'a', 't', '-', 'r', 'e', 'c'};
inline constexpr std::uint32_t recording_version = 1;
inline constexpr std::size_t recording_header_bytes = 32;

/// Before each block: its length and the CRC-32 of what follows, 32 bits each, little endian.
inline constexpr std::size_t block_header_bytes = 8;
/// Longer ones are none: a slot of a log becomes less than this.
inline constexpr std::size_t longest_block = 1024 * 1024 * 16;
/// As many items, or runs of requests, as the block of a log has slots.
inline constexpr std::uint64_t most_items_a_block = request_log::block_bytes / sizeof(log_slot);
inline constexpr std::size_t longest_file_name = 64 * 1024;

/// The first byte of a block.
enum class block_kind : std::uint8_t { requests = 1, end = 2 };

/// The lowest bits of an item's first byte: where a request lies, by the last one of its file on
/// the same shard.
enum class item_place : std::uint8_t {
    next,   ///< behind it
    same,   ///< at the same offset
    pages,  ///< so many units from its end, a signed number
    bytes   ///< so many bytes from its end
};
inline constexpr unsigned item_new_file = 1 << 2;  ///< not that of the shard's last request
inline constexpr unsigned item_new_size = 1 << 3;
inline constexpr unsigned item_new_use = 1 << 4;  ///< another hint or outcome
inline constexpr unsigned item_repeats_shift = 5;
inline constexpr unsigned item_many_repeats = 3;  ///< and a number, less these, follows
/// Items that are no requests.
inline constexpr unsigned char item_time = 0x80;
inline constexpr unsigned char item_file = 0x81;
inline constexpr unsigned char item_failure = 0x82;

/// A file as a recording knows it.
struct recorded_file {
    std::uint64_t number = 0;  ///< its file_id's
    std::uint64_t size = 0;
    std::string name;
};

/// Seven bits a byte, the lowest first; all but the last have the highest bit set.
inline void put_number(std::vector<unsigned char>& out, std::uint64_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<unsigned char>(value | 0x80));
        value >>= 7;
    }
    out.push_back(static_cast<unsigned char>(value));
}
/// Signed numbers with the sign in the lowest bit.
[[nodiscard]] constexpr std::uint64_t folded(std::uint64_t difference) noexcept {
    const auto sign = static_cast<std::uint64_t>(static_cast<std::int64_t>(difference) >> 63);
    return (difference << 1) ^ sign;
}
[[nodiscard]] constexpr std::uint64_t unfolded(std::uint64_t value) noexcept {
    return (value >> 1) ^ (~(value & 1) + 1);
}
inline void put_fixed(unsigned char* at, std::uint64_t value, std::size_t bytes) noexcept {
    for (std::size_t i = 0; i < bytes; ++i) at[i] = static_cast<unsigned char>(value >> (8 * i));
}
[[nodiscard]] inline std::uint64_t fixed_at(const unsigned char* at, std::size_t bytes) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value |= std::uint64_t{at[i]} << (8 * i);
    return value;
}
[[nodiscard]] inline std::uint32_t checksum_of(std::span<const unsigned char> bytes) {
    boost::crc_32_type sum;
    sum.process_bytes(bytes.data(), bytes.size());
    return sum.checksum();
}

}  // namespace leat::detail
