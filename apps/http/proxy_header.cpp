// Reads the binary header of the PROXY protocol.
#include "http/proxy_header.hpp"

#include <algorithm>

namespace leat::http {

namespace {

/// https://www.haproxy.org/download/1.8/doc/proxy-protocol.txt, 2.2
constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t fixed_bytes = 16;
constexpr unsigned protocol_version = 2;

constexpr proxy_header refused{.is = proxy_header::state::refused};

unsigned byte_at(std::string_view text, std::size_t at) {
    return static_cast<unsigned char>(text[at]);
}

std::uint16_t port_at(std::string_view text, std::size_t at) {
    return static_cast<std::uint16_t>(byte_at(text, at) << 8 | byte_at(text, at + 1));
}

/// Two addresses of `size` bytes, and two ports behind them.
void read_ends(std::string_view from, std::uint8_t size, proxy_header& to) {
    std::size_t at = 0;
    for (proxied_end* const one : {&to.source, &to.destination}) {
        one->address_bytes = size;
        std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(at), size, one->address.begin());
        one->port = port_at(from, std::size_t{size} * 2 + (at == 0 ? 0 : 2));
        at += size;
    }
}

}  // namespace

proxy_header parse_proxy_header(std::string_view received) noexcept {
    const std::string_view begin = received.substr(0, signature.size());
    if (begin != signature.substr(0, begin.size())) return refused;
    if (received.size() > 12) {
        const unsigned command = byte_at(received, 12) & 15;
        if (byte_at(received, 12) >> 4 != protocol_version || command > 1) return refused;
    }
    if (received.size() < fixed_bytes) return {};
    const bool of_client = (byte_at(received, 12) & 15) == 1;
    const unsigned family = byte_at(received, 13) >> 4;
    const unsigned transport = byte_at(received, 13) & 15;
    if (family > 3 || transport > 2) return refused;
    constexpr std::array<std::size_t, 4> address_bytes{0, 12, 36, 216};  // of both ends
    const std::size_t length = port_at(received, 14);
    if (fixed_bytes + length > most_proxy_header_bytes) return refused;
    const bool known = of_client && family != 0 && transport != 0;
    if (known && length < address_bytes[family]) return refused;
    if (received.size() < fixed_bytes + length) return {};
    proxy_header header{
        .is = proxy_header::state::complete, .bytes = fixed_bytes + length, .local = !known};
    if (known && family < 3) read_ends(received.substr(fixed_bytes), family == 1 ? 4 : 16, header);
    return header;
}

}  // namespace leat::http
