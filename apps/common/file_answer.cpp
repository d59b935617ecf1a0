#include "common/file_answer.hpp"

#include "common/byte_ranges.hpp"

#include <leat/io/error.hpp>

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <type_traits>

namespace leat::apps {

namespace http = boost::beast::http;

namespace {

// The present time as the field Date has it; made anew each second.
std::string_view date() {
    struct made {
        std::time_t at = -1;
        std::array<char, 32> text{};
        std::size_t size = 0;
    };
    thread_local made last;
    const std::time_t now = std::time(nullptr);
    if (now != last.at) {
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        last.size =
            std::strftime(last.text.data(), last.text.size(), "%a, %d %b %Y %T GMT", &parts);
        last.at = now;
    }
    return {last.text.data(), last.size};
}

// Builds a head, field by field.
class head_writer {
public:
    explicit head_writer(http::status status) {
        text_.reserve(512);
        text_ += "HTTP/1.1 ";
        text_ += std::to_string(static_cast<unsigned>(status));
        text_ += ' ';
        text_ += std::string_view{http::obsolete_reason(status)};
        text_ += "\r\n";
        add("Date", date());
    }
    void add(std::string_view name, std::string_view value) {
        ((((text_ += name) += ": ") += value) += "\r\n");
    }
    void add(std::string_view name, std::uint64_t value) { add(name, std::to_string(value)); }
    [[nodiscard]] std::string take() {
        text_ += "\r\n";
        return std::move(text_);
    }

private:
    std::string text_;
};

// RFC 9110, 8.8.3.2: whether a field If-Match (strong comparison) or If-None-Match (weak) names
// the strong tag.
bool names(std::string_view list, std::string_view etag, bool weakly) {
    while (!list.empty()) {
        const std::size_t begin = list.find_first_not_of(" \t,");
        if (begin == list.npos) return false;
        list.remove_prefix(begin);
        if (list.front() == '*') return true;
        const bool weak = list.starts_with("W/");
        if (weak) list.remove_prefix(2);
        const std::size_t end = list.starts_with('"') ? list.find('"', 1) : list.npos;
        if (end == list.npos) return false;  // no entity tag
        if (list.substr(0, end + 1) == etag && (weakly || !weak)) return true;
        list.remove_prefix(end + 1);
    }
    return false;
}

// Which part of the file is asked for; whole if the condition of If-Range does not hold.
byte_ranges asked_ranges(const http_request& request, std::uint64_t size, const std::string& etag) {
    const auto& fields = request.get();
    if (fields.method() != http::verb::get || fields.count(http::field::range) != 1) return {};
    const auto condition = fields.find(http::field::if_range);
    if (condition != fields.end() && condition->value() != etag) return {};
    byte_ranges asked = parse_byte_ranges(fields[http::field::range], size);
    asked.parts = coalesced(std::move(asked.parts));
    return asked.parts.size() > 1 ? byte_ranges{} : asked;
}

// The status before ranges are looked at: of the method and of conditions.
http::status status_before_ranges(const http_request& request, const std::string& etag) {
    const auto& fields = request.get();
    switch (fields.method()) {
        case http::verb::get:
        case http::verb::head:
            break;
        case http::verb::unknown:
            return http::status::not_implemented;
        default:
            return http::status::method_not_allowed;
    }
    const auto wanted = fields.find(http::field::if_match);
    if (wanted != fields.end() && !names(wanted->value(), etag, false))
        return http::status::precondition_failed;
    const auto known = fields.find(http::field::if_none_match);
    if (known != fields.end() && names(known->value(), etag, true))
        return http::status::not_modified;
    return http::status::ok;
}

// Decides which bytes the answer has, and with that its status.
http::status choose_range(const http_request& request,
                          const std::string& etag,
                          file_answer& answer) {
    const byte_ranges asked = asked_ranges(request, answer.of.size(), etag);
    switch (asked.verdict) {
        case byte_ranges::kind::some:
            answer.first = asked.parts.front().first;
            answer.length = asked.parts.front().length;
            return http::status::partial_content;
        case byte_ranges::kind::unsatisfiable:
            return http::status::range_not_satisfiable;
        case byte_ranges::kind::whole:
            break;
    }
    answer.length = answer.of.size();
    return http::status::ok;
}

std::string head_of(http::status status,
                    const http_request& request,
                    const std::string& etag,
                    const file_answer& answer) {
    const std::string size = std::to_string(answer.of.size());
    head_writer head{status};
    switch (status) {
        case http::status::partial_content:
            head.add("Content-Range", "bytes " + std::to_string(answer.first) + '-' +
                                          std::to_string(answer.first + answer.length - 1) + '/' +
                                          size);
            [[fallthrough]];
        case http::status::ok:
            head.add("Content-Type", "application/octet-stream");
            head.add("Accept-Ranges", "bytes");
            [[fallthrough]];
        case http::status::not_modified:
            head.add("ETag", etag);
            break;
        case http::status::range_not_satisfiable:
            head.add("Content-Range", "bytes */" + size);
            break;
        case http::status::method_not_allowed:
            head.add("Allow", "GET, HEAD");
            break;
        default:
            break;
    }
    if (status != http::status::not_modified) head.add("Content-Length", answer.length);
    if (!answer.goes_on) {
        head.add("Connection", "close");
    } else if (request.get().version() < 11) {
        head.add("Connection", "keep-alive");
    }
    return head.take();
}

}  // namespace

file_answer answer_to(const http_request& request, http::status heard, const file& asked) {
    if (heard != http::status::ok) return refusal(heard);
    const std::string etag = etag_of(asked.version());
    file_answer answer;
    answer.of = asked;
    answer.goes_on = request.keep_alive() && request.is_done();
    http::status status = status_before_ranges(request, etag);
    if (status == http::status::ok) status = choose_range(request, etag, answer);
    answer.head = head_of(status, request, etag, answer);
    if (request.get().method() == http::verb::head) answer.length = 0;
    return answer;
}

file_answer refusal(http::status status) {
    head_writer head{status};
    if (status == http::status::service_unavailable) head.add("Retry-After", "1");
    head.add("Content-Length", std::uint64_t{0});
    head.add("Connection", "close");
    file_answer answer;
    answer.head = head.take();
    return answer;
}

http::status status_of(const boost::system::error_code& failure) {
    if (failure == errc::all_pinned || failure == errc::file_changed || failure == errc::stopped)
        return http::status::service_unavailable;
    if (failure.category() != boost::system::system_category())
        return http::status::internal_server_error;
    switch (failure.value()) {
        case ENOENT:
        case ENOTDIR:
            return http::status::not_found;
        case EACCES:
        case EPERM:
            return http::status::forbidden;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case ENOBUFS:
            return http::status::service_unavailable;
        default:
            return http::status::internal_server_error;
    }
}

std::string etag_of(const file_version& version) {
    static_assert(std::has_unique_object_representations_v<file_version>);
    using words = std::array<std::uint64_t, sizeof(file_version) / sizeof(std::uint64_t)>;
    std::uint64_t low = 0x9e3779b97f4a7c15;
    std::uint64_t high = 0xd1b54a32d192ed03;
    // The finalizer of splitmix64, with two seeds.
    const auto mixed = [](std::uint64_t value) {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    };
    for (const std::uint64_t word : std::bit_cast<words>(version)) {
        low = mixed(low ^ word) + 0x9e3779b97f4a7c15;
        high = mixed(high + word) ^ low;
    }
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "\"%016llx%016llx\"",
                  static_cast<unsigned long long>(high), static_cast<unsigned long long>(low));
    return text.data();
}

}  // namespace leat::apps
