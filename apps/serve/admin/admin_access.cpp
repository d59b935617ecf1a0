// Compares Host and Origin with the address of the server.
#include "admin_access.hpp"

#include "http/text.hpp"

namespace leat::serve {

namespace {

bool names(std::string_view host, std::string_view self) {
    if (http::equal_but_for_case(host, self)) return true;
    // Browsers leave out the port that http has anyway.
    constexpr std::string_view usual = ":80";
    return self.ends_with(usual) &&
           http::equal_but_for_case(host, self.substr(0, self.size() - usual.size()));
}

bool is_own_host(std::string_view host, std::string_view self) {
    if (self.empty()) return true;
    if (names(host, self)) return true;
    const bool loopback = self.starts_with("127.") || self.starts_with("[::1]:");
    return loopback && names(host, "localhost" + std::string{self.substr(self.rfind(':'))});
}

}  // namespace

http::status judge_access(const http::request_head& head, std::string_view self) {
    if (!is_own_host(head.host, self)) return http::status::misdirected_request;
    if (head.method != http::request_method::post) return http::status::ok;
    if (head.leat_admin != "1") return http::status::forbidden;
    const bool has_origin = head.origin.data() != nullptr;
    const std::string own = "http://" + std::string{head.host};
    if (has_origin && !http::equal_but_for_case(head.origin, own)) return http::status::forbidden;
    return http::status::ok;
}

}  // namespace leat::serve
