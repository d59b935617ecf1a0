// The field Range of HTTP, as RFC 9110 has it.
#pragma once

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leat::http {

/// Bytes of a file, at least one, all of them inside it.
struct byte_range {
    std::uint64_t first = 0;
    std::uint64_t length = 0;
    friend bool operator==(const byte_range&, const byte_range&) = default;
};

/// Up to 16 allocate nothing.
using range_list = boost::container::small_vector<byte_range, 16>;

/// What a field Range asks for.
struct byte_ranges {
    enum class kind : std::uint8_t {
        whole,         ///< there is nothing in it to heed: the answer is the whole file, status 200
        some,          ///< `parts`; status 206
        unsatisfiable  ///< all of it is well formed, none of it inside the file: status 416
    };

    kind verdict = kind::whole;
    /// In the order in which they were asked for, without those that lie outside the file; cut at
    /// the file's end. They may overlap: see coalesce().
    range_list parts;
};

/// So many ranges are heeded where a server says nothing else.
inline constexpr std::size_t most_ranges = 64;

/// Reads the field's value for a file of `size` bytes (RFC 9110, 14.1 and 14.2).
///
/// What is malformed, of another unit than bytes, or of more than `most` ranges is not heeded, as
/// if there were no field, as 17.15 advises against their abuse. Numbers of any length are legal. A
/// suffix longer than the file is the whole file. An empty file has no bytes to give: a suffix of
/// it is `whole`, all else `unsatisfiable`.
[[nodiscard]] byte_ranges parse_byte_ranges(std::string_view value,
                                            std::uint64_t size,
                                            std::size_t most = most_ranges);

/// Makes those one that overlap or touch (15.3.7.2). The order stays; what is made of several comes
/// where the first of them did.
void coalesce(range_list& parts);

}  // namespace leat::http
