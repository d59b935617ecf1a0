// Finds the end of a head, lets Beast take it apart, and refuses what Beast lets pass.
#include "http/request_parser.hpp"

#include "http/authority.hpp"
#include "http/text.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/none.hpp>

#include <algorithm>
#include <functional>

namespace leat::http {

namespace beast = boost::beast::http;

namespace {

/// Methods are shorter: the longest that is registered has 17 letters.
constexpr std::size_t longest_method = 32;

/// " HTTP/1.1"
constexpr std::size_t version_bytes = 9;

/// Nobody's bytes, but some: see request_head.
constexpr std::string_view several{""};

request_method method_of(beast::verb verb) {
    switch (verb) {
        case beast::verb::get:
            return request_method::get;
        case beast::verb::head:
            return request_method::head;
        case beast::verb::post:
            return request_method::post;
        case beast::verb::unknown:
            return request_method::unknown;
        default:
            return request_method::other;
    }
}

std::string_view standard(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

void set_once(std::string_view& field, std::string_view value) {
    field = field.data() == nullptr ? value : several;
}

/// Whether a version that is not ours is written as one.
bool has_a_version(std::string_view line) {
    if (line.size() < version_bytes || std::count(line.begin(), line.end(), ' ') != 2) return false;
    const std::string_view version = line.substr(line.size() - version_bytes);
    return version.starts_with(" HTTP/") && is_digit(version[6]) && version[7] == '.' &&
           is_digit(version[8]);
}

/// One head, given in one piece.
class head_reader final : beast::basic_parser<true> {
public:
    head_reader(std::string_view text, request_head& head) : text_(text), head_(head) {
        skip(true);
        body_limit(boost::none);
        header_limit(static_cast<std::uint32_t>(text.size() + 1));
    }

    status read() {
        boost::system::error_code code;
        put(boost::asio::const_buffer{text_.data(), text_.size()}, code);
        if (refusal_ != status::ok) return refusal_;
        if (code == beast::error::bad_version && has_a_version(text_.substr(0, text_.find("\r\n"))))
            return status::http_version_not_supported;
        return code || !is_done() ? status::bad_request : status::ok;
    }

private:
    using code_type = boost::system::error_code;

    void refuse(status why, code_type& code) {
        refusal_ = why;
        code = beast::error::bad_value;
    }

    void on_request_impl(beast::verb verb,
                         boost::beast::string_view method,
                         boost::beast::string_view target,
                         int version,
                         code_type&) override {
        head_.method = method_of(verb);
        head_.method_text = standard(method);
        head_.target = standard(target);
        head_.minor_version = static_cast<std::uint8_t>(version - 10);
    }

    void on_field_impl(beast::field field,
                       boost::beast::string_view name_text,
                       boost::beast::string_view value_text,
                       code_type& code) override {
        const std::string_view name = standard(name_text);
        const std::string_view value = standard(value_text);
        if (is_folded(name, value)) return refuse(status::bad_request, code);
        switch (field) {
            case beast::field::host:
                // Also in HTTP/1.0 two would be understood in two ways.
                if (head_.host.data() != nullptr || !is_authority(value))
                    return refuse(status::bad_request, code);
                head_.host = value;
                break;
            case beast::field::connection:
                read_connection(value);
                break;
            case beast::field::content_length:
                if (has_length_ || !std::all_of(value.begin(), value.end(), http::is_digit))
                    return refuse(status::bad_request, code);
                has_length_ = true;
                break;
            case beast::field::transfer_encoding:
                if (head_.minor_version == 0) return refuse(status::bad_request, code);
                if (!equal_but_for_case(value, "chunked"))
                    return refuse(status::not_implemented, code);
                break;
            case beast::field::expect:
                head_.expect_continue =
                    head_.minor_version > 0 && equal_but_for_case(value, "100-continue");
                break;
            case beast::field::if_match:
                add_line(head_.if_match, value, code);
                break;
            case beast::field::if_none_match:
                add_line(head_.if_none_match, value, code);
                break;
            default:
                if (std::string_view* const one = single(field, name)) set_once(*one, value);
        }
    }

    /// Where the value of a field goes that comes once; nullptr: nobody looks at it.
    std::string_view* single(beast::field field, std::string_view name) {
        switch (field) {
            case beast::field::range:
                return &head_.range;
            case beast::field::if_range:
                return &head_.if_range;
            case beast::field::if_modified_since:
                return &head_.if_modified_since;
            case beast::field::if_unmodified_since:
                return &head_.if_unmodified_since;
            case beast::field::authorization:
                return &head_.authorization;
            case beast::field::accept:
                return &head_.accept;
            case beast::field::accept_encoding:
                return &head_.accept_encoding;
            case beast::field::origin:
                return &head_.origin;
            case beast::field::access_control_request_method:
                return &head_.access_control_request_method;
            case beast::field::access_control_request_headers:
                return &head_.access_control_request_headers;
            case beast::field::referer:
                return &head_.referer;
            case beast::field::user_agent:
                return &head_.user_agent;
            case beast::field::unknown:
                if (equal_but_for_case(name, "X-Forwarded-For")) return &head_.forwarded_for;
                if (equal_but_for_case(name, "Leat-Admin")) return &head_.leat_admin;
                return nullptr;
            default:
                return nullptr;
        }
    }

    /// Beast joins folded lines, in memory of its own or by passing over what is empty.
    [[nodiscard]] bool is_folded(std::string_view name, std::string_view value) const {
        const char* const begin = name.data() + name.size() + 1;  // behind the colon
        const char* const end = text_.data() + text_.size();
        const std::less<> before;  // of pointers into whatever there is
        if (before(value.data(), begin) || before(end, value.data())) return true;
        return std::find(begin, value.data(), '\r') != value.data();
    }

    void read_connection(std::string_view list) {
        for (bool more = true; more;) {
            const std::size_t comma = list.find(',');
            more = comma != list.npos;
            const std::string_view one = trimmed(list.substr(0, comma));
            if (more) list.remove_prefix(comma + 1);
            closes_ = closes_ || equal_but_for_case(one, "close");
            keeps_ = keeps_ || equal_but_for_case(one, "keep-alive");
        }
    }

    void add_line(field_lines& lines, std::string_view value, code_type& code) {
        if (lines.count == field_lines::most)
            return refuse(status::request_header_fields_too_large, code);
        lines.all[lines.count++] = value;
    }

    void on_header_impl(code_type& code) override {
        const bool is_new = head_.minor_version > 0;
        if (is_new && head_.host.data() == nullptr) return refuse(status::bad_request, code);
        head_.keep_alive = !closes_ && (is_new || keeps_);
        if (chunked()) {
            head_.content = content_kind::chunked;
        } else if (const auto length = content_length(); length && *length != 0) {
            head_.content = content_kind::sized;
            head_.content_length = *length;
        }
    }

    // What no request has, and content, which is not read here.
    void on_response_impl(int, boost::beast::string_view, int, code_type&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, code_type&) override {}
    std::size_t on_body_impl(boost::beast::string_view, code_type&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, code_type&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view, code_type&) override {
        return 0;
    }
    void on_finish_impl(code_type&) override {}

    std::string_view text_;
    request_head& head_;
    status refusal_ = status::ok;
    bool has_length_ = false;
    bool closes_ = false;
    bool keeps_ = false;
};

}  // namespace

request_parser::verdict request_parser::parse(std::string_view received) {
    const status fault = find_end(received);
    if (fault == status::ok && scan_.end == 0) return {};
    head_ = {};
    if (fault != status::ok) return {state::refused, fault, 0};
    const std::string_view text = received.substr(scan_.begin, scan_.end - scan_.begin);
    const status refusal = head_reader{text, head_}.read();
    if (refusal != status::ok) return {state::refused, refusal, 0};
    const std::size_t head_bytes = scan_.end;
    scan_ = {};
    return {state::complete, status::ok, head_bytes};
}

// What is refused is so for the first fault in the order of the bytes, however they come.
status request_parser::find_end(std::string_view received) noexcept {
    scan& at = scan_;
    while (at.end == 0) {
        const std::size_t lf = received.find('\n', at.scanned);
        if (lf == received.npos) break;
        const bool with_cr = lf > at.line && received[lf - 1] == '\r';
        const std::string_view line = received.substr(at.line, lf - at.line - (with_cr ? 1 : 0));
        if (at.first_line && !line.empty()) {
            const status fault = first_line_fault(line, true);
            if (fault != status::ok) return fault;
        }
        at.scanned = lf + 1;
        if (at.scanned - at.begin > limits_.head) return status::request_header_fields_too_large;
        if (!with_cr) return status::bad_request;
        if (!line.empty()) {
            at.first_line = false;
        } else if (!at.first_line) {
            at.end = at.scanned;
        } else if (at.begin == 0) {
            at.begin = at.scanned;
        } else {
            return status::bad_request;  // the second empty line
        }
        at.line = at.scanned;
    }
    if (at.end != 0) return status::ok;
    at.scanned = received.size();
    const std::string_view rest = received.substr(at.line);
    if (at.first_line && rest != "\r") {
        const status fault = first_line_fault(rest, false);
        if (fault != status::ok) return fault;
    }
    const bool too_long = at.scanned - at.begin > limits_.head;
    return too_long ? status::request_header_fields_too_large : status::ok;
}

status request_parser::first_line_fault(std::string_view line, bool complete) const noexcept {
    const std::string_view start = line.substr(0, longest_method + 1);
    const std::size_t space = std::min(start.find(' '), start.size());
    if (!std::all_of(start.begin(), start.begin() + static_cast<std::ptrdiff_t>(space),
                     is_token_letter) ||
        line.starts_with(' '))
        return status::bad_request;
    if (space > longest_method) return status::not_implemented;
    if (space == start.size()) return complete ? status::bad_request : status::ok;
    const std::size_t most = limits_.target + version_bytes + (complete ? 0 : 1);
    return line.size() - space - 1 > most ? status::uri_too_long : status::ok;
}

}  // namespace leat::http
