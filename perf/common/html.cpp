// Escapes text and wraps pieces in elements.
#include "common/html.hpp"

#include <spdlog/fmt/fmt.h>

namespace leat::perf {

std::string escaped(std::string_view text) {
    std::string result;
    for (const char one : text) {
        switch (one) {
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '&':
                result += "&amp;";
                break;
            case '"':
                result += "&quot;";
                break;
            default:
                result += one;
        }
    }
    return result;
}

std::string name_of_figure(std::string_view name) {
    std::string result = "<code>";
    for (const char one : name) {
        result += escaped({&one, 1});
        if (one == '.' || one == '/' || one == '_') result += "<wbr>";
    }
    return result + "</code>";
}

std::string prose(std::string_view text) {
    std::string result;
    bool code = false;
    for (const char one : text) {
        if (one == '`') {
            result += code ? "</code>" : "<code>";
            code = !code;
        } else {
            result += escaped({&one, 1});
        }
    }
    return result;
}

std::string folded(std::string_view summary, std::string_view body) {
    return fmt::format("<details>\n<summary>{}</summary>\n{}</details>\n", summary, body);
}

std::string table(std::string_view label, std::string_view rows) {
    return fmt::format(
        "<div class=\"scrolled\" role=\"group\" tabindex=\"0\" aria-label=\"{}\">\n<table>\n{}"
        "</table>\n</div>\n",
        escaped(label), rows);
}

}  // namespace leat::perf
