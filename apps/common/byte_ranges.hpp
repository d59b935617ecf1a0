// The field Range of HTTP, as RFC 9110 has it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace leat::apps {

/// Bytes of a file, at least one, all of them inside it.
struct byte_range {
    std::uint64_t first = 0;
    std::uint64_t length = 0;
    friend bool operator==(const byte_range&, const byte_range&) = default;
};

/// What a field Range asks for.
struct byte_ranges {
    enum class kind : std::uint8_t {
        whole,         ///< there is nothing in it to heed: the answer is the whole file, status 200
        some,          ///< `parts`; status 206
        unsatisfiable  ///< all of it is well formed, none of it inside the file: status 416
    };
    /// So many at most: more are not heeded, as RFC 9110 (17.15) advises against their abuse.
    static constexpr std::size_t most_parts = 64;

    kind verdict = kind::whole;
    /// In the order in which they were asked for, without those that lie outside the file; cut at
    /// the file's end. They may overlap: see coalesced().
    std::vector<byte_range> parts;
};

/// Reads the field's value for a file of `size` bytes (RFC 9110, 14.1 and 14.2).
///
/// What is malformed, of another unit than bytes, or beyond most_parts is not heeded, as if there
/// were no field. Numbers of any length are legal. A suffix longer than the file is the whole file.
/// An empty file has no bytes to give: a suffix of it is `whole`, all else `unsatisfiable`.
[[nodiscard]] byte_ranges parse_byte_ranges(std::string_view value, std::uint64_t size);

/// The same bytes, in ascending order, those that overlap or touch made one (RFC 9110, 15.3.7.2).
[[nodiscard]] std::vector<byte_range> coalesced(std::vector<byte_range> parts);

}  // namespace leat::apps
