// Several ranges of a file as one content: multipart/byteranges.
#pragma once

#include "http/byte_ranges.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace leat::http {

/// What stands between the parts: 32 letters that no file can know before, since they are random in
/// each process and others for each answer.
class part_boundary {
public:
    /// A new one. Any thread; several at once.
    [[nodiscard]] static part_boundary make();

    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), text_.size()}; }

private:
    std::array<char, 32> text_{};
};

/// Content of several parts (RFC 9110, 14.6), whose pieces are made one at a time: for each range
/// head(), then its bytes; at last end(). Refers to its arguments but for the boundary.
class multipart_ranges {
public:
    /// Bytes that a head or the end takes at most besides the content type.
    static constexpr std::size_t overhead = 192;

    /// Parts of a file of `size` bytes, each of type `content_type`.
    multipart_ranges(std::span<const byte_range> parts,
                     std::uint64_t size,
                     std::string_view content_type,
                     const part_boundary& boundary) noexcept
        : parts_(parts), size_(size), content_type_(content_type), boundary_(boundary) {}

    /// Of all pieces and the bytes between them.
    [[nodiscard]] std::uint64_t content_length() const noexcept;

    /// What comes before the bytes of a part, written into `buffer`; empty if that is too small.
    [[nodiscard]] std::string_view head(std::size_t part, std::span<char> buffer) const noexcept;

    /// What comes behind the bytes of the last part.
    [[nodiscard]] std::string_view end(std::span<char> buffer) const noexcept;

private:
    std::span<const byte_range> parts_;
    std::uint64_t size_;
    std::string_view content_type_;
    part_boundary boundary_;
};

}  // namespace leat::http
