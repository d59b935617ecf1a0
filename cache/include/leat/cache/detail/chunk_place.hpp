// Where a byte of a file lies among the file's chunks, and how chunks and fragments are numbered.
#pragma once

#include <cstdint>

namespace leat::detail {

struct chunk_place {
    std::uint64_t index = 0;  ///< of the chunk in its file
    std::uint64_t in = 0;     ///< offset inside the chunk
};

inline constexpr unsigned fragment_shift = 16;
/// What lies alone in memory, where no whole chunk does, is an aligned piece of so many bytes of a
/// chunk, or a part of one.
inline constexpr std::uint64_t fragment_size = std::uint64_t{1} << fragment_shift;

/// A chunk of a file, or a fragment of one: the chunk's index, below 2^48 since offsets are below
/// 2^63, and above it, for a fragment, its number in the chunk plus one.
class piece_number {
public:
    constexpr piece_number() = default;
    [[nodiscard]] static constexpr piece_number chunk(std::uint64_t index) noexcept {
        return piece_number{index};
    }
    /// The one in which byte `place.in` of its chunk lies.
    [[nodiscard]] static constexpr piece_number fragment(chunk_place place) noexcept {
        return piece_number{place.index | ((place.in >> fragment_shift) + 1) << index_bits};
    }
    [[nodiscard]] constexpr std::uint64_t index() const noexcept {
        return value_ & ((std::uint64_t{1} << index_bits) - 1);
    }
    /// 0 for a chunk.
    [[nodiscard]] constexpr std::uint64_t fragment() const noexcept { return value_ >> index_bits; }
    /// Where in its chunk a fragment begins. Precondition: it is one.
    [[nodiscard]] constexpr std::uint64_t in() const noexcept {
        return (fragment() - 1) << fragment_shift;
    }
    /// Different for all of a file.
    [[nodiscard]] constexpr std::uint64_t number() const noexcept { return value_; }
    [[nodiscard]] constexpr bool is_chunk() const noexcept { return fragment() == 0; }
    friend constexpr bool operator==(piece_number, piece_number) noexcept = default;

private:
    static constexpr unsigned index_bits = 48;
    constexpr explicit piece_number(std::uint64_t value) noexcept : value_(value) {}
    std::uint64_t value_ = 0;
};

}  // namespace leat::detail
