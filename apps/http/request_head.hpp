// The head of a request, as views into what was received.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace leat::http {

enum class request_method : std::uint8_t {
    get,
    head,
    post,
    other,   ///< one that HTTP knows: 405
    unknown  ///< 501
};

/// What follows the head.
enum class content_kind : std::uint8_t {
    none,
    sized,   ///< `content_length` bytes, at least one
    chunked  ///< in chunks, up to the last one and the trailers
};

/// The lines of a field that may come several times, in order.
struct field_lines {
    /// A request that has more is refused with 431.
    static constexpr std::size_t most = 4;

    std::array<std::string_view, most> all{};
    std::size_t count = 0;

    /// Whether the field is there at all.
    [[nodiscard]] bool present() const noexcept { return count != 0; }
    [[nodiscard]] std::span<const std::string_view> lines() const noexcept {
        return {all.data(), count};
    }
};

/// What a server of files looks at in a request. The views live as long as the bytes that were
/// parsed stay where they are.
///
/// The value of a field that may come once: data() is nullptr if the field is absent. If it came
/// several times it is empty, which none of them may be: malformed. Values have no blanks around
/// them.
struct request_head {
    request_method method = request_method::unknown;
    std::uint8_t minor_version = 1;  ///< of HTTP/1
    /// The connection may serve another request behind this one and its content.
    bool keep_alive = false;
    bool expect_continue = false;  ///< the peer waits for 100 before it sends content
    content_kind content = content_kind::none;
    std::uint64_t content_length = 0;

    std::string_view method_text;
    std::string_view target;  ///< of any form, as it was sent
    std::string_view host;    ///< well formed; may be empty, and is in most requests of HTTP/1.0

    std::string_view range;
    std::string_view if_range;
    std::string_view if_modified_since;
    std::string_view if_unmodified_since;
    field_lines if_match;
    field_lines if_none_match;

    std::string_view authorization;
    std::string_view accept;
    std::string_view accept_encoding;
    std::string_view origin;
    std::string_view access_control_request_method;
    std::string_view access_control_request_headers;
    std::string_view forwarded_for;  ///< X-Forwarded-For
    std::string_view leat_admin;     ///< Leat-Admin
    std::string_view referer;
    std::string_view user_agent;
};
static_assert(std::is_trivially_copyable_v<request_head>);

}  // namespace leat::http
