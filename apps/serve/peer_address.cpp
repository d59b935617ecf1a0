// Asks a socket for its addresses, and writes them.
#include "peer_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace leat::serve {

namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

template <class Ask>
peer_address ask(int descriptor, Ask which) noexcept {
    union {
        sockaddr plain;
        sockaddr_in v4;
        sockaddr_in6 v6;
        sockaddr_storage any;
    } found{};
    socklen_t size = sizeof found;
    peer_address result;
    if (which(descriptor, &found.plain, &size) != 0) return result;
    if (found.plain.sa_family == AF_INET) {
        std::ranges::copy(v4_prefix, result.bytes.begin());
        std::memcpy(result.bytes.data() + v4_prefix.size(), &found.v4.sin_addr, 4);
        result.port = ntohs(found.v4.sin_port);
        result.known = true;
    } else if (found.plain.sa_family == AF_INET6) {
        std::memcpy(result.bytes.data(), &found.v6.sin6_addr, result.bytes.size());
        result.port = ntohs(found.v6.sin6_port);
        result.known = true;
    }
    return result;
}

}  // namespace

peer_address peer_address::of_peer(int descriptor) noexcept {
    return ask(descriptor, ::getpeername);
}

peer_address peer_address::of_self(int descriptor) noexcept {
    return ask(descriptor, ::getsockname);
}

peer_address peer_address::of(const http::proxied_end& told) noexcept {
    peer_address result;
    if (told.address_bytes == 4) {
        std::ranges::copy(v4_prefix, result.bytes.begin());
        std::copy_n(told.address.begin(), 4, result.bytes.begin() + v4_prefix.size());
    } else {
        result.bytes = told.address;
    }
    result.port = told.port;
    result.known = told.address_bytes != 0;
    return result;
}

bool peer_address::is_v4() const noexcept {
    return std::ranges::equal(v4_prefix, std::span{bytes}.first<v4_prefix.size()>());
}

std::array<std::uint8_t, 16> peer_address::network() const noexcept {
    auto result = bytes;
    if (!is_v4()) std::fill(result.begin() + 8, result.end(), std::uint8_t{0});
    return result;
}

std::string peer_address::text() const {
    if (!known) return "unix:";
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (is_v4()) {
        ::inet_ntop(AF_INET, bytes.data() + v4_prefix.size(), text.data(), text.size());
    } else {
        ::inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
    }
    return text.data();
}

std::string peer_address::endpoint() const {
    if (!known) return text();
    const std::string host = is_v4() ? text() : '[' + text() + ']';
    return host + ':' + std::to_string(port);
}

}  // namespace leat::serve
