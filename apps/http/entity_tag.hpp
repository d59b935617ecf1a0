// Entity tags: which version of a file it is.
#pragma once

#include <leat/cache/chunk_source.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leat::http {

/// An entity tag of 16 hexadecimal digits (RFC 9110, 8.8.3): `"0123456789abcdef"`, or
/// `W/"0123456789abcdef"` if it is weak.
class entity_tag {
public:
    /// The tag of a version: the same in every process, for all of its fields. `settled`: no later
    /// version may compare equal; if one may, the tag is weak.
    [[nodiscard]] static entity_tag of(const file_version& version, bool settled);

    /// The tag of all files of this size and time: the same on servers that hold copies which agree
    /// on both.
    [[nodiscard]] static entity_tag of(std::uint64_t size, std::int64_t modified_ns, bool settled);

    entity_tag() = default;
    constexpr entity_tag(std::uint64_t value, bool weak) : value_(value), weak_(weak) {}

    [[nodiscard]] std::uint64_t value() const noexcept { return value_; }
    [[nodiscard]] bool weak() const noexcept { return weak_; }

    /// The tag as it is written.
    class text {
    public:
        explicit text(entity_tag tag) noexcept;
        [[nodiscard]] std::string_view view() const noexcept {
            return {bytes_.data() + (weak_ ? 0 : 2), bytes_.size() - (weak_ ? 0 : 2)};
        }
        /// Without the mark of a weak one: in quotes.
        [[nodiscard]] std::string_view opaque() const noexcept {
            return {bytes_.data() + 2, bytes_.size() - 2};
        }

    private:
        std::array<char, 20> bytes_;  // with W/, shown or not
        bool weak_;
    };

    friend bool operator==(const entity_tag&, const entity_tag&) = default;

private:
    std::uint64_t value_ = 0;
    bool weak_ = false;
};

}  // namespace leat::http
