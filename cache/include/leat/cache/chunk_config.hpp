// The request for a piece of a chunk.
#pragma once

#include <cstdint>
#include <type_traits>

namespace leat {

/// Twice as wide as any other integer, for products.
__extension__ typedef unsigned __int128 wide_integer;

/// Names one version of a file that was opened; trivially copyable and never reused. Valid while a
/// leat::file of that version is held anywhere; later requests fail with errc::closed.
struct file_id {
    std::uint64_t number = 0;
    friend bool operator==(const file_id&, const file_id&) = default;
};

/// What the caller knows about the use of what it asks for.
enum class hint : std::uint8_t {
    normal,
    no_wait,  ///< fail with errc::all_pinned at once rather than wait for a buffer
};

/// `size` bytes at `offset` of a file; they must lie inside one chunk.
struct chunk_config {
    file_id file;
    std::uint64_t offset = 0;  ///< bytes from the start of the file
    std::uint32_t size = 0;    ///< bytes, at least 1
    leat::hint hint = hint::normal;
};
static_assert(std::is_trivially_copyable_v<chunk_config>);

}  // namespace leat
