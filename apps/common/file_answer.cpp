// The answer to a request for a file: status, head, and which bytes.
#include "common/file_answer.hpp"

#include "common/byte_ranges.hpp"

#include <leat/io/error.hpp>

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>

#include <array>
#include <bit>
#include <cerrno>
#include <ctime>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leat::apps {

namespace http = boost::beast::http;

namespace {

/// The present time as the field Date has it; made anew each second.
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

/// Builds a head, field by field, in one allocation.
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

/// Whether a list of entity tags names this one, or is "*" (RFC 9110, 8.8.3.2 and 13.1). By weak
/// comparison a weak tag does, too.
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

/// The same of all lines of a field. Nothing is named by a field that is not there.
bool names(const http::fields& fields, http::field name, std::string_view etag, bool weakly) {
    const auto lines = fields.equal_range(name);
    for (auto line = lines.first; line != lines.second; ++line) {
        if (names(line->value(), etag, weakly)) return true;
    }
    return false;
}

/// The status before ranges are looked at: of the method and of conditions.
http::status status_before_ranges(const http_request& request, const std::string& etag) {
    const auto& fields = request.get();
    if (fields.method() == http::verb::unknown) return http::status::not_implemented;
    if (fields.method() != http::verb::get && fields.method() != http::verb::head)
        return http::status::method_not_allowed;
    const bool needs = fields.count(http::field::if_match) != 0;
    if (needs && !names(fields, http::field::if_match, etag, false))
        return http::status::precondition_failed;
    const bool known = names(fields, http::field::if_none_match, etag, true);
    return known ? http::status::not_modified : http::status::ok;
}

/// What is asked for of the file; whole if the condition of If-Range does not hold.
byte_ranges asked_ranges(const http_request& request, std::uint64_t size, const std::string& etag) {
    const auto& fields = request.get();
    if (fields.method() != http::verb::get || fields.count(http::field::range) != 1) return {};
    const auto conditions = fields.count(http::field::if_range);
    if (conditions > 1 || (conditions == 1 && fields[http::field::if_range] != etag)) return {};
    byte_ranges asked = parse_byte_ranges(fields[http::field::range], size);
    asked.parts = coalesced(std::move(asked.parts));
    return asked.parts.size() > 1 ? byte_ranges{} : asked;
}

/// Decides which bytes the answer has, and with that its status.
http::status choose_bytes(const byte_ranges& asked, std::uint64_t size, file_answer& answer) {
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
    answer.length = size;
    return http::status::ok;
}

/// The fields that tell of the file.
void describe(head_writer& head,
              http::status status,
              const file_answer& answer,
              std::uint64_t size,
              const std::string& etag) {
    if (status == http::status::method_not_allowed) head.add("Allow", "GET, HEAD");
    if (status == http::status::range_not_satisfiable)
        head.add("Content-Range", "bytes */" + std::to_string(size));
    if (status == http::status::partial_content)
        head.add("Content-Range", "bytes " + std::to_string(answer.first) + '-' +
                                      std::to_string(answer.first + answer.length - 1) + '/' +
                                      std::to_string(size));
    if (status == http::status::ok || status == http::status::partial_content) {
        head.add("Content-Type", "application/octet-stream");
        head.add("Accept-Ranges", "bytes");
    }
    if (http::to_status_class(status) == http::status_class::successful ||
        status == http::status::not_modified)
        head.add("ETag", etag);
    if (status != http::status::not_modified) head.add("Content-Length", answer.length);
}

}  // namespace

file_answer answer_to(const http_request& request,
                      http::status heard,
                      std::uint64_t size,
                      const file_version& version) {
    if (heard != http::status::ok) return refusal(heard);
    const std::string etag = etag_of(version);
    file_answer answer;
    http::status status = status_before_ranges(request, etag);
    if (status == http::status::ok)
        status = choose_bytes(asked_ranges(request, size, etag), size, answer);
    answer.goes_on = request.keep_alive() && request.is_done();
    head_writer head{status};
    describe(head, status, answer, size, etag);
    if (!answer.goes_on) {
        head.add("Connection", "close");
    } else if (request.get().version() < 11) {
        head.add("Connection", "keep-alive");
    }
    answer.head = head.take();
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
    if (failure == errc::all_pinned || failure == errc::no_buffer ||
        failure == errc::file_changed || failure == errc::stopped)
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
    // The finalizer of splitmix64, with two seeds.
    const auto mixed = [](std::uint64_t value) {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    };
    std::array<std::uint64_t, 2> sums{0x9e3779b97f4a7c15, 0xd1b54a32d192ed03};
    for (const std::uint64_t word : std::bit_cast<words>(version)) {
        sums[0] = mixed(sums[0] ^ word) + 0x9e3779b97f4a7c15;
        sums[1] = mixed(sums[1] + word) ^ sums[0];
    }
    std::string text{'"'};
    for (const std::uint64_t sum : sums) {
        for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[sum >> shift & 15];
    }
    return text += '"';
}

}  // namespace leat::apps
