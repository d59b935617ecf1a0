// Breaks lines between words.
#include "common/wrapped.hpp"

#include <algorithm>
#include <cstddef>

namespace leat::perf {

std::string wrapped(std::string_view text, unsigned indent) {
    constexpr std::size_t columns = 80;
    // What a text begins with indents its first line.
    std::size_t at = std::min(text.find_first_not_of(' '), text.size());
    std::string result(at, ' ');
    std::size_t column = at;
    for (bool first = true; at < text.size(); first = false) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        const std::size_t size = end - at;
        if (!first && column + 1 + size > columns) {
            result += '\n' + std::string(indent, ' ');
            column = indent;
        } else if (!first) {
            result += ' ';
            ++column;
        }
        result += text.substr(at, size);
        column += size;
        at = std::min(text.find_first_not_of(' ', end), text.size());
    }
    return result;
}

}  // namespace leat::perf
