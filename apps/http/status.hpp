// The status of an answer.
#pragma once

#include <cstdint>
#include <string_view>

namespace leat::http {

/// Those that servers of files give (RFC 9110, 15; RFC 6585).
enum class status : std::uint16_t {
    continue_ = 100,
    ok = 200,
    accepted = 202,
    no_content = 204,
    partial_content = 206,
    moved_permanently = 301,
    found = 302,
    not_modified = 304,
    permanent_redirect = 308,
    bad_request = 400,
    unauthorized = 401,
    forbidden = 403,
    not_found = 404,
    method_not_allowed = 405,
    request_timeout = 408,
    conflict = 409,
    gone = 410,
    precondition_failed = 412,
    payload_too_large = 413,
    uri_too_long = 414,
    range_not_satisfiable = 416,
    expectation_failed = 417,
    misdirected_request = 421,
    too_many_requests = 429,
    request_header_fields_too_large = 431,
    internal_server_error = 500,
    not_implemented = 501,
    bad_gateway = 502,
    service_unavailable = 503,
    gateway_timeout = 504,
    http_version_not_supported = 505
};

/// Its three digits.
[[nodiscard]] constexpr unsigned code_of(status one) noexcept {
    return static_cast<unsigned>(one);
}

/// What the status line says behind them.
[[nodiscard]] std::string_view reason_of(status one) noexcept;

}  // namespace leat::http
