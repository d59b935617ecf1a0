// Byte ranges of the HTTP example: whatever a client sends, what is served lies inside the file.
#include "input.hpp"

// A program's main may end without a value and drop those of others.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wreturn-type"
#pragma clang diagnostic ignored "-Wunused-result"
#define main http_server_main
#include "http_server.cpp"
#undef main
#pragma clang diagnostic pop

using leat::test::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    leat::test::input from{data, size};
    const std::uint64_t file_size = from.number();
    // As a field of a request: it holds no NUL.
    const std::string text = std::string{from.rest()}.c_str();
    const auto [first, length] = parse_range(text, file_size);
    require(length <= file_size, "a range larger than the file");
    require(length == 0 || first <= file_size - length, "a range beyond the end of the file");
    return 0;
}
