// Which requests an administrator's address answers.
#pragma once

#include "http/request_head.hpp"
#include "http/status.hpp"

#include <string>
#include <string_view>

namespace leat::serve {

/// Whether a request may be answered: ok, or what to answer instead. `self` is the address that its
/// connection came to, "127.0.0.1:8081", or empty for a unix path.
///
/// Browsers send what pages of other servers make them send. Such a page cannot choose Host, which
/// is the page's own name, also where that name has been made to lead here (DNS rebinding): 421
/// unless it is `self`, or "localhost" for a loopback address. What changes something, POST, it can
/// send without being asked only without fields of its own and with its Origin: 403 without
/// "Leat-Admin: 1", or with an Origin that is not this server's.
[[nodiscard]] http::status judge_access(const http::request_head& head, std::string_view self);

}  // namespace leat::serve
