// Replaces what is no UTF-8.
#include "common/utf8.hpp"

#include <cstddef>

namespace leat::apps {

namespace {

/// Bytes of the character that a text begins with; 0 if it is none of UTF-8 (RFC 3629, 4): among
/// others one that is written longer than need be, half of a pair, or beyond U+10FFFF.
std::size_t character_bytes(std::string_view text) {
    const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4) return 0;
    const std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (text.size() < size) return 0;
    for (std::size_t at = 1; at < size; ++at) {
        if ((byte(at) & 0xc0) != 0x80) return 0;
    }
    const unsigned second = byte(1);
    const bool wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                       (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return wrong ? 0 : size;
}

}  // namespace

std::string utf8(std::string_view text) {
    std::string result;
    std::size_t good = 0;  // so many bytes at the front of what is left
    while (good < text.size()) {
        const std::size_t size = character_bytes(text.substr(good));
        good += size;
        if (size != 0) continue;
        result.append(text.substr(0, good));
        result.append("\xef\xbf\xbd");
        text.remove_prefix(good + 1);
        good = 0;
    }
    return result.append(text);
}

}  // namespace leat::apps
