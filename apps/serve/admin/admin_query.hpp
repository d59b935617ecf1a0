// The query of an administrator's request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat::serve {

/// "?path=a%20b&top=5": names and values, percent-encoded. A name that comes twice has its first
/// value.
class admin_query {
public:
    /// `text` as target_path::query has it; it must outlive this.
    explicit admin_query(std::string_view text) noexcept : text_(text) {}

    /// Decoded; nothing if it is not there or malformed.
    [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
    /// `otherwise` if it is not there; nothing if it is no number, or more than `most`.
    [[nodiscard]] std::optional<std::uint64_t> number(std::string_view name,
                                                      std::uint64_t otherwise,
                                                      std::uint64_t most) const;

private:
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;

    std::string_view text_;
};

/// "/films/a b.mkv" as a request would name it: "films/a b.mkv", by the rules of http::read_target.
/// Nothing if it is no path of a file.
[[nodiscard]] std::optional<std::string> served_path(std::string_view decoded, bool dotfiles);

}  // namespace leat::serve
