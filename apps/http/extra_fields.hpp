// Fields that the administrator adds to answers.
#pragma once

#include <string>
#include <string_view>

namespace leat::http {

/// Fields of `--header 'Name: value'`, checked and joined once.
class extra_fields {
public:
    /// Adds "Name: value". Gives a sentence that says what is wrong with it, or nothing: the name
    /// is no token, the value has control characters, or it is a field that the server makes
    /// itself.
    [[nodiscard]] std::string add(std::string_view line);

    /// All of them, each ended by CRLF.
    [[nodiscard]] std::string_view text() const noexcept { return text_; }

private:
    std::string text_;
};

}  // namespace leat::http
