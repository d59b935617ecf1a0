// Heads of HTTP requests: whatever they say, the answer is one whole head, tells its own length,
// and stays inside the file.
#include "http/file_answer.hpp"
#include "http/request_parser.hpp"
#include "input.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

using namespace leat::http;
using leat::test::require;

namespace {

constexpr sys_seconds now{std::chrono::seconds{1'800'000'000}};

// A field's value, or "none".
std::string field(std::string_view head, const std::string& name) {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == head.npos) return "none";
    const std::size_t value = at + name.size() + 4;
    return std::string{head.substr(value, head.find("\r\n", value) - value)};
}

void check_head(const file_answer& one, std::string_view head) {
    require(head.starts_with("HTTP/1.1 " + std::to_string(code_of(one.code)) + ' '), "no status");
    require(head.ends_with("\r\n\r\n"), "no end");
    for (const char letter : head)
        require((letter >= ' ' && letter <= '~') || letter == '\r' || letter == '\n', "a control");
    const bool closes = field(head, "Connection") == "close";
    require(closes != one.keep_alive, "the connection's end is told otherwise");
}

// Bytes of all that follows the head.
std::uint64_t content_of(const file_answer& one, std::size_t behind_head) {
    std::array<char, 512> buffer;
    std::uint64_t sum = behind_head;
    for (std::size_t i = 0; i < one.parts.size(); ++i) {
        sum += one.parts[i].length;
        if (i > 0) sum += one.part_head(i, buffer).size();
    }
    return one.multipart() ? sum + one.end(buffer).size() : sum;
}

void check_content(const file_answer& one, const request_head& request, std::uint64_t size) {
    const std::size_t end = one.head.find("\r\n\r\n") + 4;
    const std::string_view head = one.head.substr(0, end);
    check_head(one, head);
    for (const byte_range& part : one.parts)
        require(part.length != 0 && part.first <= size && part.length <= size - part.first,
                "bytes beyond the file");
    const std::string length = field(head, "Content-Length");
    require((length == "none") == (one.code == status::not_modified), "no length");
    const std::uint64_t content = content_of(one, one.head.size() - end);
    const bool is_head = request.method == request_method::head;
    require(!is_head || content == 0, "content behind a HEAD");
    require(is_head || length == "none" || length == std::to_string(content), "another length");
    const bool single = one.code == status::partial_content && !one.multipart();
    const bool beyond = one.code == status::range_not_satisfiable;
    require((field(head, "Content-Range") != "none") == (single || beyond), "no range");
    require(is_head || one.code != status::ok || content == size, "a part for the whole");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    leat::test::input from{data, size};
    // Sums of several parts stay below 2^64, as with any file that there is.
    const std::uint64_t file_size = from.number() >> 2;
    const bool weak = (from.byte() & 1) != 0;
    const std::string text{from.rest()};
    request_parser parser;
    if (parser.parse(text).is != request_parser::state::complete) return 0;
    const file_facts facts{.size = file_size,
                           .file = {{0x0123456789abcdef, weak}, now - std::chrono::hours{1}},
                           .content_type = "text/plain"};
    std::array<char, least_buffer + 20> buffer;
    const file_answer one = answer_file(parser.head(), facts, {}, now, buffer);
    require(!one.head.empty(), "no room for a head");
    check_content(one, parser.head(), file_size);
    return 0;
}
