// The target of a request as a path below a folder.
#pragma once

#include "http/status.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace leat::http {

/// What a target names.
struct target_path {
    enum class form : std::uint8_t {
        origin,     ///< /path?query
        absolute,   ///< http://host/path?query
        authority,  ///< host:port, of CONNECT
        asterisk    ///< *, of OPTIONS
    };

    /// ok, or what to answer: bad_request, not_found, uri_too_long. Authority and asterisk name no
    /// path: bad_request.
    status refusal = status::ok;
    form written = form::origin;
    /// It ends in a slash, a dot segment or is the root: what it names must be a folder.
    bool folder = false;
    /// Decoded, names with single slashes between them and none around them: no name is empty, "."
    /// or "..", none has a slash or a NUL. Empty for the root itself.
    std::string_view path{};
    std::string_view query{};  ///< as it was sent, with its question mark; empty if there is none
    std::string_view host{};   ///< of the absolute form, which counts, not the field Host
};

/// Reads a target (RFC 9112, 3.2; RFC 3986), decoding its path into `buffer`, to which the result
/// refers, as it does to `target`. A buffer as long as the target always suffices; a longer path is
/// uri_too_long.
///
/// Each segment is decoded once, and then looked at: "%2e%2e" is "..", "%252e" is "%2e". Dot
/// segments are resolved here, before any file system sees them; what leads above the root, "%00"
/// and half an escape are bad_request. A segment with "%2f" names nothing, since no file's name has
/// a slash: not_found. A backslash is a letter like others. So are bytes beyond ASCII, escaped or
/// not. Unless `dotfiles`, names that begin with a dot are not_found.
[[nodiscard]] target_path read_target(std::string_view target,
                                      std::span<char> buffer,
                                      bool dotfiles) noexcept;

/// Writes `path`, a decoded one such as target_path has, percent-encoded into `buffer`: all but
/// letters, digits, "-._~" and slashes. Gives what was written, or nothing if it does not fit.
[[nodiscard]] std::string_view encode_path(std::string_view path, std::span<char> buffer) noexcept;

/// Where a folder lies that was asked for without its slash: "/path/?query", for the field Location
/// of a 301. It begins with one slash and a name, so no client takes it for another host. Empty if
/// it does not fit into `buffer`: the path can be three times as long as it was.
[[nodiscard]] std::string_view folder_location(const target_path& asked,
                                               std::span<char> buffer) noexcept;

}  // namespace leat::http
