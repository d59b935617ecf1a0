// What a proxy says of the connection that it passes on: PROXY protocol, version 2.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leat::http {

/// An end of the connection that the proxy passes on.
struct proxied_end {
    std::array<std::uint8_t, 16> address{};  ///< in network order; 4 bytes of it, or 16
    std::uint8_t address_bytes = 0;          ///< 4, 16, or 0 if it is not known: UNIX and others
    std::uint16_t port = 0;
    friend bool operator==(const proxied_end&, const proxied_end&) = default;
};

/// What parse_proxy_header has found.
struct proxy_header {
    enum class state : std::uint8_t { more, complete, refused };
    state is = state::more;
    std::size_t bytes = 0;  ///< of the header, if complete: what the client sent comes behind
    /// The proxy speaks for itself, as it does to see whether the server lives, or says nothing of
    /// the client: the ends are those of the connection itself.
    bool local = false;
    proxied_end source{};       ///< the client
    proxied_end destination{};  ///< what it connected to
};

/// Bytes of a header at most: 16, addresses, and what a proxy adds (TLVs), which is skipped.
inline constexpr std::size_t most_proxy_header_bytes = 16 + 4096;

/// Reads the header that a connection begins with; `received` are all its bytes so far. Refused:
/// another signature or version (from the first byte that differs on), another command, addresses
/// that are shorter than their family's, or more than most_proxy_header_bytes. Only a proxy that is
/// trusted may send it: whoever can say it can lie.
[[nodiscard]] proxy_header parse_proxy_header(std::string_view received) noexcept;

}  // namespace leat::http
