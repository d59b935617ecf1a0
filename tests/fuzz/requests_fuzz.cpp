// Bytes of a connection as requests: however they are cut, the same is said of them; what is
// accepted has one meaning.
#include "http/request_parser.hpp"
#include "input.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using leat::http::content_kind;
using leat::http::request_head;
using leat::http::request_parser;
using leat::test::require;

namespace {

constexpr leat::http::request_limits limits{.head = 400, .target = 60};

/// What was said of a request; texts are copies.
struct said {
    request_parser::state is;
    unsigned refusal;
    std::size_t bytes;
    std::string method, target, host, range;
    bool keep_alive;
    content_kind content;
    std::uint64_t length;
    friend bool operator==(const said&, const said&) = default;
};

said copy_of(const request_parser& parser, const request_parser::verdict& verdict) {
    said copy{};
    copy.is = verdict.is;
    copy.refusal = leat::http::code_of(verdict.refusal);
    copy.bytes = verdict.head_bytes;
    if (verdict.is == request_parser::state::more) return copy;
    const request_head& head = parser.head();
    copy.method = head.method_text;
    copy.target = head.target;
    copy.host = head.host;
    copy.range = head.range;
    copy.keep_alive = head.keep_alive;
    copy.content = head.content;
    copy.length = head.content_length;
    return copy;
}

bool lies_in(std::string_view view, std::string_view text) {
    return view.data() == nullptr || view.empty() ||
           (view.data() >= text.data() && view.data() + view.size() <= text.data() + text.size());
}

/// Every view, and what no accepted request has.
void check_head(const request_head& head, std::string_view text) {
    std::vector<std::string_view> all{head.method_text,
                                      head.target,
                                      head.host,
                                      head.range,
                                      head.if_range,
                                      head.if_modified_since,
                                      head.if_unmodified_since,
                                      head.authorization,
                                      head.accept,
                                      head.accept_encoding,
                                      head.origin,
                                      head.access_control_request_method,
                                      head.access_control_request_headers,
                                      head.forwarded_for,
                                      head.leat_admin,
                                      head.referer,
                                      head.user_agent};
    for (const std::string_view line : head.if_match.lines()) all.push_back(line);
    for (const std::string_view line : head.if_none_match.lines()) all.push_back(line);
    for (const std::string_view view : all) {
        require(lies_in(view, text), "a view of other bytes");
        for (const char one : view)
            require(static_cast<unsigned char>(one) >= ' ' || one == '\t', "a control character");
    }
    require(!head.target.empty() && head.target.find(' ') == head.target.npos, "no target");
    require(head.target.size() <= limits.target, "a target beyond the limit");
    require(head.minor_version == 0 || head.host.data() != nullptr, "no host");
    require((head.content == content_kind::sized) == (head.content_length != 0), "no length");
    const std::size_t bare = text.find('\n');
    require(bare != 0 && text[bare - 1] == '\r', "a line that ends in LF alone");
}

/// All requests of a connection, given in pieces of so many bytes, without their content.
std::vector<said> read(const std::string& text, std::size_t piece) {
    std::vector<said> all;
    request_parser parser{limits};
    std::size_t begin = 0;
    for (std::size_t end = std::min(piece, text.size());;) {
        // Elsewhere each time: a view that is kept is found by AddressSanitizer.
        const std::string received = text.substr(begin, end - begin);
        const auto verdict = parser.parse(received);
        if (verdict.is == request_parser::state::more) {
            require(received.size() <= limits.head + 2, "more is wanted than is allowed");
            if (end == text.size()) return all;
            end = std::min(end + piece, text.size());
            continue;
        }
        all.push_back(copy_of(parser, verdict));
        if (verdict.is == request_parser::state::refused) return all;
        require(verdict.head_bytes > 0 && verdict.head_bytes <= received.size(), "no head");
        check_head(parser.head(), std::string_view{received}.substr(0, verdict.head_bytes));
        begin += verdict.head_bytes;
        end = std::max(end, begin);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    leat::test::input from{data, size};
    const std::size_t piece = 1 + from.below(64);
    const std::string text{from.rest()};
    if (text.size() > 4000) return 0;
    require(read(text, text.size()) == read(text, piece), "pieces are read otherwise");
    return 0;
}
