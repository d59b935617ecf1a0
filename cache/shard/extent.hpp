// What of a chunk is to be in memory for a request: the chunk, a fragment, or a part of one.
#pragma once

#include <leat/cache/detail/chunk_place.hpp>
#include <leat/cache/detail/chunk_request.hpp>

#include <cstdint>

namespace leat::detail {

struct chunk;

/// Bytes of a chunk, as offsets inside it; whole units but at the end of the file.
struct extent {
    piece_number piece;       ///< by which it is found
    std::uint64_t start = 0;  ///< inside the chunk
    std::uint64_t length = 0;
    // See set_reader(); else 0:
    std::uint32_t to_come = 0;  ///< bytes from where its reader is to its end
    std::uint8_t step = 0;      ///< units that he asks for at once, 255 at most

    [[nodiscard]] std::uint64_t end() const noexcept { return start + length; }
};

/// Bytes that the file has in the chunk of `wanted`.
[[nodiscard]] std::uint64_t chunk_length(const chunk_request& wanted) noexcept;
/// All of its chunk.
[[nodiscard]] extent whole_chunk(const chunk_request& wanted) noexcept;
/// The least that is kept for it: an aligned power of two of units that has what it asks for, or,
/// if it reaches beyond its first fragment, the units from where it begins to where it ends.
[[nodiscard]] extent least_for(const chunk_request& wanted) noexcept;
/// What is better kept for it: if `whole`, or if `known` of the same fragment is there and lacks
/// some of it, the whole fragment, but as much again as `known` where it stands alone and goes on
/// there; and if it reaches beyond that, from where that begins to be held to where it ends. Where
/// its reader comes through less than a fragment before what is read for him goes, he has so much
/// beyond what he asks for, if he goes through the file, and nothing of what he has come through.
[[nodiscard]] extent fragment_for(const chunk_request& wanted,
                                  const chunk* known,
                                  bool whole = false) noexcept;
/// A fragment is read for a reader who goes through the file: how far he comes before it goes says
/// something of others, if he can be seen, since he is of the shard that has it, and if he is not
/// known to be quicker than they are.
void set_reader(extent& made, const chunk_request& wanted) noexcept;
/// Whether nothing less than its whole chunk will do: since it asks for all of it, or is large,
/// more than a sixteenth of the chunk and more than a MiB, or since the source reads no less.
[[nodiscard]] bool needs_whole_chunk(const chunk_request& wanted) noexcept;
/// How many fragments a request of its manager may touch that needs less than its whole chunk.
[[nodiscard]] std::uint64_t most_fragments_crossed(const chunk_request& wanted) noexcept;
/// Whether its whole chunk is to be read, if there is room: so if it needs that, or is a stream's
/// whose window has no less.
[[nodiscard]] bool wants_whole_chunk(const chunk_request& wanted) noexcept;

}  // namespace leat::detail
