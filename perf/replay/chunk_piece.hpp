// The part of a request that lies in one chunk.
#pragma once

#include "replay/trace.hpp"

#include <algorithm>
#include <cstdint>

namespace leat::perf {

struct chunk_piece {
    std::uint64_t index = 0;  ///< of the chunk in its file
    std::uint32_t file = 0;
    std::uint32_t in = 0;  ///< offset in the chunk
    std::uint32_t size = 0;
    leat::hint hint = hint::normal;
};

/// Of the request, the piece that begins at `at` in the file. A chunk is at most 1 GiB.
[[nodiscard]] inline chunk_piece piece_at(const trace_request& of,
                                          std::uint64_t at,
                                          std::uint64_t chunk_size) noexcept {
    chunk_piece piece;
    piece.index = at / chunk_size;
    piece.file = of.file;
    piece.in = static_cast<std::uint32_t>(at % chunk_size);
    piece.size =
        static_cast<std::uint32_t>(std::min(of.offset + of.size - at, chunk_size - piece.in));
    piece.hint = of.hint;
    return piece;
}

/// Calls visit(piece) for each chunk that the request touches, in order.
template <class Visit>
void each_piece(const trace_request& of, std::uint64_t chunk_size, Visit visit) {
    const std::uint64_t end = of.offset + of.size;
    for (std::uint64_t at = of.offset; at < end;) {
        const chunk_piece piece = piece_at(of, at, chunk_size);
        visit(piece);
        at += piece.size;
    }
}

}  // namespace leat::perf
