// What tests of the parser of requests share: requests, and what becomes of them.
#pragma once

#include "http/request_parser.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace leat::http::test {

inline constexpr request_limits small{.head = 1000, .target = 100};

inline std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    for (; times > 0; --times) all += text;
    return all;
}

// A request line and fields, each with its own line's end, and the empty line.
inline std::string get(std::string_view fields) {
    std::string text{"GET / HTTP/1.1\r\nHost: a\r\n"};
    text += fields;
    return text += "\r\n";
}

// 200: complete; 0: more is needed; else the refusal.
inline unsigned outcome(const request_parser::verdict& said) {
    switch (said.is) {
        case request_parser::state::more:
            return 0;
        case request_parser::state::complete:
            return 200;
        case request_parser::state::refused:
            break;
    }
    return code_of(said.refusal);
}

inline unsigned outcome(std::string_view text) {
    request_parser parser{small};
    return outcome(parser.parse(text));
}

// The same where the text comes in pieces of so many bytes.
inline unsigned outcome_in_pieces(const std::string& text, std::size_t piece) {
    request_parser parser{small};
    for (std::size_t size = piece;; size += piece) {
        // Elsewhere each time.
        const std::string received = text.substr(0, size);
        const unsigned said = outcome(parser.parse(received));
        if (said != 0 || size >= text.size()) return said;
    }
}

}  // namespace leat::http::test
