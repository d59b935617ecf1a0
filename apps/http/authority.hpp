// A host and its port, as the field Host and a target have them.
#pragma once

#include <string_view>

namespace leat::http {

/// Whether text is a host with or without a port (RFC 9110, 7.2; RFC 3986, 3.2.2): a name, an IPv4
/// address, or an IPv6 address in brackets. An empty host is one, too.
[[nodiscard]] bool is_authority(std::string_view text) noexcept;

}  // namespace leat::http
