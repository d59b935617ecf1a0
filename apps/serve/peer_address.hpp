// Who is at the other end of a connection.
#pragma once

#include "http/proxy_header.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace leat::serve {

/// An address of the Internet, or none for a peer on this machine that came by a unix path.
struct peer_address {
    std::array<std::uint8_t, 16> bytes{};  ///< in network order; one of IPv4 as ::ffff:a.b.c.d
    std::uint16_t port = 0;
    bool known = false;

    /// Of a connected socket; unknown for a unix one.
    [[nodiscard]] static peer_address of_peer(int descriptor) noexcept;
    [[nodiscard]] static peer_address of_self(int descriptor) noexcept;
    /// Of the client that a proxy tells of.
    [[nodiscard]] static peer_address of(const http::proxied_end& told) noexcept;
    [[nodiscard]] bool is_v4() const noexcept;
    [[nodiscard]] bool same_host(const peer_address& other) const noexcept {
        return bytes == other.bytes;
    }
    /// What limits count: the address, of IPv6 the network of 64 bits that one customer has.
    [[nodiscard]] std::array<std::uint8_t, 16> network() const noexcept;
    /// Without the port; "unix:" if it is not known.
    [[nodiscard]] std::string text() const;
    /// With the port: "127.0.0.1:8080", "[::1]:8080".
    [[nodiscard]] std::string endpoint() const;
};

}  // namespace leat::serve
