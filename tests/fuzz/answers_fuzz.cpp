// Heads of HTTP requests: whatever they say, the answer is one whole head, tells its own length,
// and stays inside the file.
#include "common/byte_ranges.hpp"
#include "common/file_answer.hpp"
#include "input.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/verb.hpp>

#include <cstdint>
#include <string>

using leat::apps::byte_ranges;
using leat::apps::file_answer;
using leat::apps::http_request;
using leat::test::require;
namespace http = boost::beast::http;

namespace {

constexpr leat::file_version version{.device = 1, .inode = 2};

// A field's value, or "none".
std::string field(const file_answer& one, const std::string& name) {
    const std::size_t at = one.head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "none";
    const std::size_t value = at + name.size() + 4;
    return one.head.substr(value, one.head.find("\r\n", value) - value);
}

void check_head(const file_answer& one) {
    require(one.head.starts_with("HTTP/1.1 "), "no status line");
    require(one.head.find("\r\n\r\n") == one.head.size() - 4, "not one head");
    for (const char letter : one.head)
        require((letter >= ' ' && letter <= '~') || letter == '\r' || letter == '\n', "a control");
    const bool closes = field(one, "Connection") == "close";
    require(closes != one.goes_on, "the connection's end is told otherwise");
}

void check_content(const file_answer& one, std::uint64_t size, bool is_head) {
    require(one.length <= size && one.first <= size - one.length, "bytes beyond the file");
    const std::string length = field(one, "Content-Length");
    const std::string status = one.head.substr(9, 3);
    require((length == "none") == (status == "304"), "no length");
    require(is_head || status == "304" || length == std::to_string(one.length), "another length");
    require(!is_head || one.length == 0, "content behind a HEAD");
    const std::string range = field(one, "Content-Range");
    require((range != "none") == (status == "206" || status == "416"), "no range, or one too many");
    require(status != "206" || range == "bytes " + std::to_string(one.first) + '-' +
                                            std::to_string(one.first + one.length - 1) + '/' +
                                            std::to_string(size),
            "another range");
    const bool whole = one.first == 0 && one.length == size;
    require(is_head || status != "200" || whole, "a part for the whole");
}

// Where nothing but a range is asked for, the parser of ranges decides alone.
void check_range(const file_answer& one, const http_request& request, std::uint64_t size) {
    const auto& fields = request.get();
    if (fields.method() != http::verb::get || fields.count(http::field::range) != 1) return;
    for (const auto condition :
         {http::field::if_range, http::field::if_match, http::field::if_none_match})
        if (fields.count(condition) != 0) return;
    const byte_ranges asked = leat::apps::parse_byte_ranges(fields[http::field::range], size);
    const auto parts = leat::apps::coalesced(asked.parts);
    const std::string status = one.head.substr(9, 3);
    if (asked.verdict == byte_ranges::kind::unsatisfiable) {
        require(status == "416", "beyond the file, and not refused");
    } else if (parts.size() == 1) {
        require(status == "206" && one.first == parts[0].first && one.length == parts[0].length,
                "another part than was asked for");
    } else {
        require(status == "200", "neither the whole file nor one part of it");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    leat::test::input from{data, size};
    const std::uint64_t file_size = from.number();
    const std::string text{from.rest()};
    http_request request;
    request.body_limit(boost::none);
    boost::system::error_code code;
    request.put(boost::asio::buffer(text), code);
    if (code || !request.is_header_done()) return 0;
    const file_answer one = leat::apps::answer_to(request, http::status::ok, file_size, version);
    check_head(one);
    check_content(one, file_size, request.get().method() == http::verb::head);
    check_range(one, request, file_size);
    return 0;
}
